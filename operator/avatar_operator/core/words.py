"""Small words of English that messages are made of."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 picture`, `2 pictures`; a plural that is not the noun with an s is given."""
    return f"{count} {noun}" if count == 1 else f"{count} {plural or f'{noun}s'}"
