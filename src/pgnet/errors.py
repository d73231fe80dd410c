"""The one exception for anything a user can put right."""


class PgnetError(Exception):
    """Bad input or a missing part; the message is one sentence: what is wrong and what to do.

    The command line prints the message and exits with code 2; it never shows a traceback for it.
    """
