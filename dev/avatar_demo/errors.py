"""The one error that the demo shows to people."""


class DemoError(Exception):
    """Says in one line what is wrong and how to mend it; the command line prints it without a traceback."""
