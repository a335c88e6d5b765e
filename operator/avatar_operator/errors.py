"""Errors that end the process, each with one line that says what to mend."""


class StartUpError(Exception):
    """The operator cannot start as it was told to."""
