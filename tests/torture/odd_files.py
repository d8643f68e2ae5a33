"""Files that a program wrote and something damaged: by kind, what makes one of the bytes."""

import codecs
import json

NUMBERS = (0, -1, 10**400, 2**63, 0.5, -0.0, 1e308)


def truncated(rng, data):
    return data[: rng.randint(len(data))]


def flipped(rng, data):
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        damaged[rng.randint(len(data))] ^= 1 << rng.randint(8)
    return bytes(damaged)


def other(rng, data):
    texts = ["", "[]", "null", "0", '"text"', "{}", "true", "NaN", "{", "\0", "\n", "[{}]", "{,}"]
    return texts[rng.randint(len(texts))].encode()


def encoded(rng, data):
    """In another encoding."""
    text = data.decode()
    return (
        codecs.BOM_UTF8 + data,
        text.encode("utf-16"),
        text.encode("utf-32"),
        data + b"\xff",
        "é".encode("latin-1") + data,
        b"\x1f\x8b" + data,
    )[rng.randint(6)]


def nested(rng, data):
    """Deeper than Python counts."""
    depth = (1_000, 100_000)[rng.randint(2)]
    start, end = (b"[", b"]") if rng.randint(2) else (b'{"a":', b"}")
    return start * depth + b"0" + end * depth


def leaves(value, path=()):
    """The paths of all values in what JSON holds."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in items if isinstance(value, dict | list) else ():
        yield (*path, key)
        yield from leaves(child, (*path, key)) if isinstance(child, dict | list) else ()


def edited(edit):
    """A kind that edits one value of a JSON file, whatever it is."""

    def make(rng, data):
        value = json.loads(data)
        paths = list(leaves(value))
        *outer, key = paths[rng.randint(len(paths))]
        parent = value
        for name in outer:
            parent = parent[name]
        edit(rng, parent, key)
        return json.dumps(value).encode()

    return make


def _as_text(rng, parent, key):
    parent[key] = str(parent[key])


def _number(rng, parent, key):
    parent[key] = NUMBERS[rng.randint(len(NUMBERS))]


def _not_finite(rng, parent, key):
    parent[key] = (float("nan"), float("inf"), -float("inf"))[rng.randint(3)]


def _bool(rng, parent, key):
    parent[key] = bool(rng.randint(2))


def _other_kind(rng, parent, key):
    parent[key] = ([], {}, None, "", [[]], {"a": 1}, "\ud800", "x" * 100_000)[rng.randint(8)]


def _missing(rng, parent, key):
    del parent[key]


def _extra(rng, parent, key):
    if isinstance(parent, dict):
        parent["more"] = parent[key]
    else:
        parent.append(parent[key])


def huge(rng, data):
    """One number of a JSON file, with an exponent or digits that no float has."""
    text = data.decode()
    places = [i for i, letter in enumerate(text) if letter.isdigit() and not text[i + 1].isdigit()]
    place = places[rng.randint(len(places))] + 1
    return (text[:place] + ("e999", "0" * 400, "0" * 5000)[rng.randint(3)] + text[place:]).encode()


def repeated(rng, data):
    """A key that stands twice, the second time with null."""
    text = data.decode().strip()
    value = json.loads(text)
    if not isinstance(value, dict):
        return b'{"a": 1, "a": 2}'
    key = list(value)[rng.randint(len(value))]
    return (text[:-1] + f", {json.dumps(key)}: null" + "}").encode()


JSON_KINDS = {
    "truncated": truncated,
    "flipped": flipped,
    "other": other,
    "encoded": encoded,
    "nested": nested,
    "huge": huge,
    "repeated": repeated,
    "as_text": edited(_as_text),
    "number": edited(_number),
    "not_finite": edited(_not_finite),
    "bool": edited(_bool),
    "other_kind": edited(_other_kind),
    "missing": edited(_missing),
    "extra": edited(_extra),
}


def _cells(edit):
    """A kind that edits a cell of a CSV file."""

    def make(rng, data):
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        row = rng.randint(max(len(lines) - 1, 1))
        cells = lines[row].split(",")
        edit(rng, cells, rng.randint(len(cells)))
        lines[row] = ",".join(cells)
        return "\n".join(lines).encode("utf-8", "surrogateescape")

    return make


def _cell(rng, cells, index):
    values = ("", "nan", "inf", "-1", "1e999", "x", '"', "9" * 5000, "x" * 200_000, "\0", "0x1")
    cells[index] = values[rng.randint(len(values))]


def _fewer(rng, cells, index):
    del cells[index]


def _more(rng, cells, index):
    cells.insert(index, "more")


CSV_KINDS = {
    "truncated": truncated,
    "flipped": flipped,
    "other": other,
    "encoded": encoded,
    "cell": _cells(_cell),
    "fewer": _cells(_fewer),
    "more": _cells(_more),
}

BINARY_KINDS = {"truncated": truncated, "flipped": flipped, "other": other}
