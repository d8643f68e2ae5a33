"""One process at a time in a directory, and no trace of one that did nothing there."""

import pytest

from awl_vae.system import DirectoryLock


def test_a_second_lock_is_refused_until_the_first_is_closed(tmp_path):
    with DirectoryLock(tmp_path / "a"), pytest.raises(BlockingIOError):
        DirectoryLock(tmp_path / "a")
    DirectoryLock(tmp_path / "a").close()
    assert (tmp_path / "a/.lock").exists()


def test_undone_it_leaves_what_was_there(tmp_path):
    for directory in (tmp_path, tmp_path / "a/b"):
        DirectoryLock(directory).undo()
    assert not list(tmp_path.iterdir())
    lock = DirectoryLock(tmp_path / "a/b")
    (tmp_path / "a/file").write_text("")
    lock.undo()
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "file"]
    DirectoryLock(tmp_path).close()
    DirectoryLock(tmp_path).undo()
    assert (tmp_path / ".lock").exists()


def test_a_lock_is_of_the_file_that_is_there(tmp_path, monkeypatch):
    """Whoever held it removes it just before it is locked: the next tries again."""
    from awl_vae.system import lock

    real, calls = lock.fcntl.flock, []

    def flock(file, how):
        if not calls:
            (tmp_path / ".lock").unlink()
        calls.append(how)
        real(file, how)

    monkeypatch.setattr(lock.fcntl, "flock", flock)
    with DirectoryLock(tmp_path):
        assert len(calls) == 2
        assert (tmp_path / ".lock").exists()
