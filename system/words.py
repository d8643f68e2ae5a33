"""Numbers with their nouns, for messages."""


def quantity(number: int, noun: str) -> str:
    """Such as "1 image" and "2 images"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
