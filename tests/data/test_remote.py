"""Files by their addresses, in a store that fsspec has everywhere: that of this machine."""

import cv2
import numpy as np
import pytest
from conftest import black_detector

from awl_vae.data import DataError, read_image
from awl_vae.data.remote import RemoteFile, StoreError, is_address
from awl_vae.detection.judging import take


@pytest.fixture
def store(tmp_path):
    (tmp_path / "parts/more").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "parts/a.png"), np.full((3, 5), 7, np.uint8))
    (tmp_path / "parts/.hidden.png").touch()
    return f"file://{tmp_path}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://bucket/part.png", True),
        ("gs://bucket", True),
        ("/home/s3://bucket", False),
        ("C://parts", False),
        ("part.png", False),
        ("-", False),
    ],
)
def test_what_is_an_address(text, expected):
    assert is_address(text) == expected


def test_a_file_of_a_store_is_like_a_path(store, tmp_path):
    file, path = RemoteFile(f"{store}/parts/a.png"), tmp_path / "parts/a.png"
    assert (file.name, file.suffix, str(file.parent)) == ("a.png", ".png", f"{store}/parts")
    assert (RemoteFile("s3://b/README").suffix, RemoteFile("s3://b/c/").name) == ("", "c")
    assert file.read_bytes() == path.read_bytes()
    assert file.stat().st_size == path.stat().st_size
    # fsspec has its time in seconds, as a float.
    assert abs(file.stat().st_mtime_ns - path.stat().st_mtime_ns) < 1000
    assert file.exists()
    assert not file.is_dir()
    assert file.parent.is_dir()
    assert not RemoteFile(f"{store}/none.png").exists()
    np.testing.assert_array_equal(read_image(file), np.full((3, 5), 7, np.uint8))


def test_what_is_in_a_directory_of_a_store(store):
    children = {
        name: is_directory for name, _, is_directory in RemoteFile(f"{store}/parts").children()
    }
    assert children == {"a.png": False, "more": True, ".hidden.png": False}
    for _, child, _ in RemoteFile(f"{store}/parts").children():
        assert child.stat() == RemoteFile(child.address).stat()


def test_what_is_not_there_is_no_image_and_a_store_that_is_not_there_is_an_error(store):
    with pytest.raises(DataError, match=r"No such file or directory, file:///.*/none\.png"):
        read_image(RemoteFile(f"{store}/none.png"))
    with pytest.raises(StoreError, match=r"Received: nowhere://b/a\.png, Protocol not known"):
        read_image(RemoteFile("nowhere://b/a.png"))


@pytest.mark.parametrize("error", [PermissionError("no"), OSError("Forbidden: no")])
def test_a_file_that_is_refused_is_asked_for_again(store, monkeypatch, error):
    def refuse(*_):
        raise error

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.cat_file", refuse)
    found = take(black_detector(), RemoteFile(f"{store}/parts/a.png"))
    assert (found.verdict, found.state) == ("unreadable", None)
    assert f"{type(error).__name__} {error}" in found.error


def test_a_name_that_fsspec_would_take_apart_is_not_asked_for(store, tmp_path):
    (tmp_path / "parts/a").touch()
    with pytest.raises(OSError, match='a name with "::"'):
        RemoteFile(f"{store}/parts/a::b.png").read_bytes()


def test_a_store_that_does_not_answer_says_nothing_of_an_image(store, monkeypatch):
    def break_off(*_):
        raise ConnectionResetError("gone")

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.cat_file", break_off)
    with pytest.raises(StoreError, match=r"a store that answers.*ConnectionResetError gone, file:"):
        RemoteFile(f"{store}/parts/a.png").read_bytes()


def test_a_directory_that_may_not_be_read_is_an_error(store, monkeypatch):
    def refuse(*_, **more):
        raise PermissionError("no")

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.ls", refuse)
    with pytest.raises(StoreError, match="Expected a directory to read.*PermissionError no"):
        list(RemoteFile(f"{store}/parts").children())
