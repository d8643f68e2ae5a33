"""Something to look at, in a line."""

from collections.abc import Sequence
from dataclasses import dataclass

from awl_vae.system.words import in_one_line, with_first


@dataclass(frozen=True)
class Concern:
    """Something to look at.

    Attributes:
        topic: what it is about, in a few words.
        text: what was found, in a line that counts it and names the first.
        images: the names of the files that it is about; of pairs, one after the other.
    """

    topic: str
    text: str
    images: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.topic}: {self.text}"


def listed(topic: str, names: Sequence[str], text: str, *, of: str = "image") -> list[Concern]:
    """A concern about some files, or none where there are none.

    Args:
        topic: what it is about.
        names: the files.
        text: what it is with them.
        of: what one of them is.
    """
    if not names:
        return []
    return [
        Concern(topic, f"{with_first(len(names), of, in_one_line(names[0]))}: {text}", tuple(names))
    ]
