"""Which files of a directory are inspected."""

from pathlib import Path

import pytest

from awl_vae.data.remote import RemoteFile
from awl_vae.detection.finding import FileState
from awl_vae.detection.listing import Listing, files_below, is_to_be_inspected, listed
from awl_vae.detection.path_table import PathTable


def test_a_link_to_a_directory_is_neither_followed_nor_an_image(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "part.png").touch()
    images = tmp_path / "images"
    images.mkdir()
    (images / "part.png").touch()
    (images / "more").symlink_to(elsewhere)
    files = list(files_below(images))
    assert files == [images / "more", images / "part.png"]
    assert [path for path in files if is_to_be_inspected(path)] == [images / "part.png"]


def test_a_listing_has_each_file_once_in_order():
    paths = [Path(f"/parts/{name}") for name in ("b.png", "a\r.png", "\udce9.png", "b.png")]
    listing = Listing(paths)
    assert list(listing) == paths[:3]
    assert len(listing) == 3
    assert str(paths[2]) in listing
    assert "/parts/c.png" not in listing
    assert not Listing(())


def test_a_listing_keeps_what_a_store_has_told(tmp_path):
    (tmp_path / "a.png").write_text("x")
    (told,) = files_below(RemoteFile(f"file://{tmp_path}"))
    (again,) = Listing([told])
    assert again.told == told.told
    assert FileState.of(again).size == 1


def test_lines_name_files(tmp_path):
    kept = tmp_path / "kept\r"
    kept.touch()
    lines = [b"\xef\xbb\xbfa.png\r\n", b"\r\n", b"\n", f"{kept}\n".encode(), b"s3://b/c.png\r\n"]
    lines.append(b"b.png")
    here = Path.cwd()
    expected = [here / "a.png", kept, RemoteFile("s3://b/c.png"), here / "b.png"]
    assert list(listed(lines)) == expected


def test_a_store_is_gone_through_as_a_directory_is(tmp_path):
    for name in ("b/2.png", "b.png", "a/1.png", "a/.hidden.png", ".hidden/3.png", "seen/4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "seen/inspection.csv").touch()
    near = [str(path.relative_to(tmp_path)) for path in files_below(tmp_path)]
    far = [file.address for file in files_below(RemoteFile(f"file://{tmp_path}"))]
    assert near == ["a/1.png", "b/2.png", "b.png"]
    assert far == [f"file://{tmp_path / name}" for name in near]
    assert not list(files_below(RemoteFile(f"file://{tmp_path}/none")))


def test_a_table_knows_which_entry_of_a_path_was_the_last():
    state = FileState(1, 1_700_000_000_123_456_789)
    table = PathTable([("/a", state), ("/b", None), ("/a", None)])
    table.update([("/c", state)])
    assert [*table.items()] == [("/b", None), ("/a", None), ("/c", state)]
    assert [table.number(path) for path in ("/b", "/a", "/c")] == [2, 3, 4]
    with pytest.raises(KeyError):
        table["/d"]
