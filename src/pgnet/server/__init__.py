"""`pgnet serve`: a page, and its HTTP API, to draw boxes, watch them being tracked, correct them and export.

`settings` limits, `database` and `history` keep, `workspace` is what can be done, `jobs` and `processes` do the work in
processes of their own, `api` and `safety` are the web server; `static` is the page.
"""
