from pgnet.evaluation.tables import Table, tex


def test_best_of_a_table():
    table = Table("t", ["Tracker", "up", "down"], [["a", 1.0, 1.0], ["b", 2.0, 2.0]], "columns", frozenset({2}))
    assert [[table.is_best(i, j) for j in range(3)] for i in range(2)] == [[False, False, True], [False, True, False]]
    across = Table("t", ["Sequence", "a", "b"], [["s", 1.0, None], ["r", 1.0, 3.0]], "rows")
    assert not across.is_best(0, 1)
    assert across.is_best(1, 2)
    assert across.format(None) == across.format(float("nan")) == "-"


def test_latex_has_no_special_characters_left(tmp_path):
    assert tex(r"A_1 & 50% of ~x^2 {\}") == (
        r"A\_1 \& 50\% of \textasciitilde{}x\textasciicircum{}2 \{\textbackslash{}\}"
    )


def test_long_tables_go_over_pages(tmp_path):
    for rows, environment in ((60, "tabular"), (61, "longtable")):
        Table("t", ["Sequence", "a"], [[f"s{i}", 0.5] for i in range(rows)]).write_tex(tmp_path / "t.tex")
        assert (tmp_path / "t.tex").read_text().rstrip().endswith(rf"\end{{{environment}}}")


def test_csv_has_all_digits(tmp_path):
    Table("t", ["Sequence", "a", "b"], [["s, 1", 1 / 3, None]]).write_csv(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == 'Sequence,a,b\n"s, 1",0.3333333333333333,\n'
