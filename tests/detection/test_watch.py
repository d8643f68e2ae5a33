"""Which files of a directory are inspected."""

from awl_vae.detection.watch import files_below, is_to_be_inspected


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
