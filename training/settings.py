"""What a setting may be: one description that flags, Python and `--help` share."""

import dataclasses
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, TypeGuard

from awl_vae.models.shapes import SIZE_DIVISOR
from awl_vae.system.errors import did_you_mean

MOST_SEED = 2**32 - 1
MOST_SIDE = 2**14
MOST_TILES = 40


@dataclass(frozen=True)
class Setting:
    """A text.

    Attributes:
        about: what it sets, for `--help`.
    """

    about: str

    @property
    def expected(self) -> str:
        """Which values it takes, for an error."""
        return "a text"

    @property
    def help(self) -> str:
        """What `--help` says of it, but for its default."""
        return self.about

    def parse(self, value: Any) -> Any:
        """A flag's text, or what Python code gives, in the form that configurations have.

        Raises:
            ValueError: If a text stands for no such value.
        """
        return value

    def is_valid(self, value: object) -> bool:
        """Whether it may have this value."""
        return isinstance(value, str)

    def hint(self, value: object) -> str:
        """What may have been meant by a wrong value, as `did_you_mean` says it."""
        return ""

    def show(self, value: Any) -> str:
        """The value as a flag has it."""
        return str(value)

    def wrong(self, name: str, value: object) -> str:
        """The line for a value that it cannot have."""
        meant = self.hint(value)
        return f"Expected {self.expected} as --{name}{meant}. Received: --{name}={value}"


@dataclass(frozen=True)
class Choice(Setting):
    """One of some names.

    Attributes:
        names: the names; of a table its keys, those that are added later, too.
        describe: what a row of the table is, for `--help`.
    """

    names: Collection[str]
    describe: Callable[[Any], str] | None = None

    @property
    def expected(self) -> str:
        return f"one of {', '.join(self.names)}"

    @property
    def help(self) -> str:
        if self.describe is None or not isinstance(self.names, Mapping):
            return self.about
        rows = (f"{name}: {self.describe(row)}" for name, row in self.names.items())
        return f"{self.about} {'; '.join(rows)}."

    def is_valid(self, value: object) -> bool:
        return isinstance(value, str) and value in self.names

    def hint(self, value: object) -> str:
        return did_you_mean(str(value), self.names)


@dataclass(frozen=True)
class Names(Choice):
    """Some of some names, in their own order."""

    @property
    def expected(self) -> str:
        return f"names with commas between, among {', '.join(self.names)}"

    def parse(self, value: Any) -> Any:
        given = tuple(name.strip() for name in _parts(value))
        if set(given) - set(self.names):
            return given
        return tuple(name for name in self.names if name in given)

    def is_valid(self, value: object) -> bool:
        return isinstance(value, tuple) and bool(value) and set(value) <= set(self.names)

    def hint(self, value: object) -> str:
        wrong = (name for name in _parts(value) if name not in self.names)
        return did_you_mean(next(wrong, ""), self.names)

    def show(self, value: Any) -> str:
        return ",".join(value)


@dataclass(frozen=True)
class Count(Setting):
    """A whole number of at least 1.

    Attributes:
        most: it is at most this; by default what 32 bits hold.
    """

    most: int = 2**31 - 1

    @property
    def expected(self) -> str:
        return f"a positive integer of at most {self.most}"

    def parse(self, value: Any) -> Any:
        return int(value) if isinstance(value, str | Integral) else value

    def is_valid(self, value: object) -> bool:
        return _is_whole(value) and 1 <= value <= self.most


@dataclass(frozen=True)
class Number(Setting):
    """A finite number.

    Attributes:
        above: it is above this, which is −∞ where it may be any; None where 0 is the least.
    """

    above: float | None = None

    @property
    def expected(self) -> str:
        if self.above == -math.inf:
            return "a finite number"
        bound = "of at least 0" if self.above is None else f"above {self.above:g}"
        return f"a finite number {bound}"

    def parse(self, value: Any) -> Any:
        return float(value) if isinstance(value, str | Real) else value

    def is_valid(self, value: object) -> bool:
        if not isinstance(value, float) or not math.isfinite(value):
            return False
        return value >= 0 if self.above is None else value > self.above

    def show(self, value: Any) -> str:
        return f"{value:g}"


@dataclass(frozen=True)
class Grid(Setting):
    """(rows, columns) of tiles, at most `MOST_TILES` each."""

    @property
    def expected(self) -> str:
        return f"RxC, rows and columns of tiles, each at most {MOST_TILES},"

    def parse(self, value: Any) -> Any:
        found = re.fullmatch(r"(\d+)x(\d+)", str(value))
        if found:
            return tuple(map(int, found.groups()))
        return value if isinstance(value, str) else _as_tuple(value)

    def is_valid(self, value: object) -> bool:
        return (
            isinstance(value, tuple)
            and len(value) == 2
            and all(_is_whole(number) and 1 <= number <= MOST_TILES for number in value)
        )

    def show(self, value: Any) -> str:
        return "x".join(map(str, value))


@dataclass(frozen=True)
class Size(Setting):
    """(height, width) of images.

    Attributes:
        divisor: what divides each side; by default that of images that the network takes. A side is
            at most `MOST_SIDE`.
    """

    divisor: int = SIZE_DIVISOR

    @property
    def expected(self) -> str:
        divisible = f"divisible by {self.divisor} and " if self.divisor > 1 else ""
        return f"N or HxW in pixels, each side {divisible}at most {MOST_SIDE},"

    def parse(self, value: Any) -> Any:
        if isinstance(value, str):
            return _read_size(value)
        return (value, value) if isinstance(value, int) else _as_tuple(value)

    def is_valid(self, value: object) -> bool:
        return (
            isinstance(value, tuple)
            and len(value) == 2
            and all(
                _is_whole(side) and 0 < side <= MOST_SIDE and side % self.divisor == 0
                for side in value
            )
        )

    def show(self, value: Any) -> str:
        return "x".join(map(str, value))


@dataclass(frozen=True)
class Seeds(Setting):
    """Seeds, rising, each once."""

    @property
    def expected(self) -> str:
        return f"whole numbers with commas between, from 0 to {MOST_SEED},"

    def parse(self, value: Any) -> Any:
        if isinstance(value, str):
            parts = [part.strip() for part in value.split(",")]
            if not all(part.isascii() and part.isdecimal() for part in parts):
                raise ValueError(value)
            value = map(int, parts)
        seeds = (value,) if isinstance(value, int) else _as_tuple(value)
        return tuple(sorted(set(seeds))) if isinstance(seeds, tuple) else seeds

    def is_valid(self, value: object) -> bool:
        return (
            isinstance(value, tuple)
            and bool(value)
            and all(_is_whole(seed) and 0 <= seed <= MOST_SEED for seed in value)
        )

    def show(self, value: Any) -> str:
        return ",".join(map(str, value))


def setting(kind: Setting, **before: object) -> Any:
    """A field of a configuration that a flag of its name sets, and that TensorBoard shows.

    Args:
        kind: what it may be.
        before: as `before=value`, for a setting that is newer than run directories that are to go
            on: what versions without it did, in the form that `config.json` has.
    """
    return dataclasses.field(metadata={"setting": kind, **before})


def before_settings(config: type) -> dict[str, Any]:
    """By name, the values of the settings that an earlier version did not have."""
    return {
        field.name: field.metadata["before"]
        for field in dataclasses.fields(config)
        if "before" in field.metadata
    }


def settings_of(config: type) -> dict[str, Setting]:
    """By name, the settings of a class of configurations that flags set."""
    return {
        field.name: field.metadata["setting"]
        for field in dataclasses.fields(config)
        if "setting" in field.metadata
    }


def _read_size(text: str) -> tuple[int, int]:
    if not re.fullmatch(r"\d+(x\d+)?", text, re.ASCII):
        raise ValueError(text)
    height, _, width = text.partition("x")
    return int(height), int(width or height)


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, Iterable) else value


def _parts(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.split(",")
    return [str(name) for name in value] if isinstance(value, Iterable) else [str(value)]
