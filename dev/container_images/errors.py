"""The one error that this package shows to people."""


class ImageError(Exception):
    """Says in one line what is wrong and how to mend it; command lines print it without a traceback."""
