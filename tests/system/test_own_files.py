"""Files that were written here and are read again: whole and as they must be, or one line."""

import os

import pytest

from awl_vae.system import (
    atomic_directory,
    foreign_file,
    read_csv,
    read_json,
    write_csv,
    write_json,
)
from awl_vae.system.errors import FileError, UserError
from awl_vae.system.kinds import NUMBER, OPTIONAL_NUMBER

KINDS = {"a": {"b": NUMBER}, "list": [int], "maybe": OPTIONAL_NUMBER, "all": {"x": str, ...: int}}
WHOLE = {"a": {"b": 0.5}, "list": [1, 2], "all": {"x": "y", "z": 3}, "more": None}


def test_what_was_written_is_read(tmp_path):
    write_json(tmp_path / "a.json", WHOLE)
    assert read_json(tmp_path / "a.json", KINDS) == WHOLE
    rows = [{"name": 'é"\n,', "value": "1"}, {"name": "", "value": "2"}]
    write_csv(tmp_path / "a.csv", ["name", "value"], rows)
    assert read_csv(tmp_path / "a.csv", ["name"]) == rows


@pytest.mark.parametrize("name", ["a.json", "a.csv"])
def test_an_editor_s_byte_order_mark_changes_nothing(tmp_path, name):
    text = {"a.json": '{"a": 1}', "a.csv": "a\n1\n"}[name]
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    found = read_json(tmp_path / name) if name == "a.json" else read_csv(tmp_path / name)[0]
    assert str(found["a"]) == "1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "Expected JSON"),
        ("[]", "Expected an object. Received: []"),
        ("null", "Expected an object. Received: None"),
        ('{"a": NaN}', "NaN is no finite number"),
        ('{"a": 1e999}', "1e999 is no finite number"),
        ('{"a": 1' + "0" * 400 + "}", "too large"),
        ('{"a": 1' + "0" * 5000 + "}", "Expected JSON"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ("[" * 100_000, "recursion"),
        ('{"a": "\xff"}', "utf-8"),
        ("{}", "Expected an object as a. Received: None"),
        ('{"a": {"b": "1"}}', "Expected a finite number as a.b. Received: '1'"),
        ('{"a": {"b": true}}', "Expected a finite number as a.b. Received: True"),
        ('{"a": {"b": 1}, "list": [1, null]}', "a whole number as list[1]. Received: None"),
        ('{"a": {"b": 1}, "list": [], "all": {"x": "", "y": ""}}', "a whole number as all.y"),
    ],
)
def test_json_that_is_none(tmp_path, text, expected):
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(FileError) as error:
        read_json(path, KINDS)
    assert expected in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["", "other\n1\n", "name,value\n1\n", "name,value\n1,2,3\n", 'name\n"' + "x" * 200_000, "\xff"],
)
def test_csv_that_is_none(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(FileError, match=r"Expected .* Received: ") as error:
        read_csv(path, ["name"])
    assert str(path) in str(error.value)


def test_an_error_is_one_line_whatever_was_received():
    assert str(UserError("Expected a name. Received: a\nb\u2028c")).splitlines() == [
        "Expected a name. Received: a b c"
    ]


def test_a_directory_outlives_a_kill_between_its_two_renames(tmp_path):
    with atomic_directory(tmp_path / "detector") as directory:
        (directory / "a.txt").write_text("first")
    (tmp_path / "detector").rename(tmp_path / ".detector.awl_vae.old")
    with pytest.raises(OSError, match="full"), atomic_directory(tmp_path / "detector"):
        raise OSError("full")
    assert (tmp_path / "detector/a.txt").read_text() == "first"


def test_what_is_left_of_our_own_files_is_ours_and_a_link_is_not(tmp_path):
    ours = ("/a.json", "/seed-*/*.png")
    for name in ("a.json", ".a.tmp.json", "seed-1/b.png", "seed-1/.b.tmp.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert foreign_file(tmp_path, ours) is None
    for name in ("b.png", ".a.tmp.csv", "seed-1/a.json", "seed-1/deep/b.png", "other/seed-1/b.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        assert str(foreign_file(tmp_path, ours)) == name
        path.unlink()
    (tmp_path / "link").symlink_to(tmp_path / "seed-1")
    assert str(foreign_file(tmp_path, ours)) == "link"


@pytest.mark.parametrize("read", [read_json, read_csv])
def test_a_pipe_is_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / "file")
    with pytest.raises(FileError, match="a pipe or device"):
        read(tmp_path / "file")
