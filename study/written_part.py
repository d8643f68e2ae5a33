"""The part of a Markdown file that a program writes, between two lines that mark it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from awl_vae.system import write_text
from awl_vae.training.config import ConfigError


@dataclass(frozen=True)
class WrittenPart:
    """Where the part is.

    Attributes:
        begin: the line before it.
        end: the line after it.
    """

    begin: str
    end: str

    def around(self, path: Path) -> tuple[list[str], list[str]]:
        """The lines of a file to `begin`, and those from `end`.

        Raises:
            ConfigError: if it does not have each of the two lines once, in that order.
        """
        lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
        marks = [line for line in lines if line in (self.begin, self.end)]
        if marks != [self.begin, self.end]:
            raise ConfigError(
                f"Expected the lines {self.begin} and {self.end}. Received: {path} without them."
            )
        return lines[: lines.index(self.begin) + 1], lines[lines.index(self.end) :]

    def write(self, path: Path, part: Iterable[str]) -> None:
        """Writes the lines of the part anew; raises as `around` does."""
        before, after = self.around(path)
        write_text(path, "\n".join([*before, *part, *after]))
