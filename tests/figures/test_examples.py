import cv2
import numpy as np

from awl_vae.figures.examples import Example, read_examples, write_examples
from awl_vae.figures.images import plot_defects, plot_examples


def test_what_is_written_is_read(tmp_path):
    rng = np.random.RandomState(0)
    x, x_hat = rng.rand(2, 4, 6).astype(np.float32)
    marked = Example("a/b µ.png", x, x_hat, 0.25, mask=x > 0.5)
    plain = Example("c.png", x_hat, x, 1e-7)
    path = tmp_path / "examples.npz"
    write_examples(path, {"normal": [plain], "anomalous": [marked, plain]})
    read = read_examples(path)
    assert {kind: len(examples) for kind, examples in read.items()} == {"normal": 1, "anomalous": 2}
    first, second = read["anomalous"]
    assert (first.name, first.score) == ("a/b µ.png", 0.25)
    for found, expected in ((first.x, x), (first.x_hat, x_hat), (first.mask, x > 0.5)):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
    assert second.mask is None
    before = path.read_bytes()
    write_examples(path, {"normal": [plain], "anomalous": [marked, plain]})
    assert path.read_bytes() == before


def test_a_map_is_that_of_the_score_and_lightest_from_a_given_value_on(tmp_path):
    black = np.zeros((16, 16), np.float32)
    examples = [Example(name, black, black, 0.5) for name in ("strong", "faint")]
    maps = [np.full((16, 16), value, np.float32) for value in (1.0, 0.01)]
    num_light = {}
    for lightest in (None, 0.01):
        path = tmp_path / "a.png"
        plot_examples(path, examples, score="mse", title="", maps=maps, lightest=lightest)
        blue, green, _ = np.moveaxis(cv2.imread(str(path)), -1, 0)
        num_light[lightest] = np.sum((green > 230) & (blue < 200))
    assert num_light[None] > 10_000  # of the strong one; the faint one is black
    assert num_light[0.01] > 1.7 * num_light[None]


def test_an_image_that_was_stretched_is_shown_as_it_was(tmp_path):
    white = np.ones((16, 16), np.float32)
    example = Example("a", white, 0.0 * white, 0.5)
    files = tmp_path / "a.png", tmp_path / "b.png"
    heights = []
    for aspect in (0.5, 1.0):
        plot_examples(files[0], [example], score="mse", title="", aspects=[aspect])
        plot_defects(files[1], white[None], [white > 0], ["a"], "", aspects=[aspect])
        heights.append([cv2.imread(str(file)).shape[0] for file in files])
        # The black reconstruction is the middle one of three.
        is_black = cv2.imread(str(files[0]), cv2.IMREAD_GRAYSCALE) < 30
        rows = np.flatnonzero(is_black[:, is_black.shape[1] // 2 - 60])
        num_columns = is_black[rows[len(rows) // 2]].sum()
        assert abs(len(rows) / num_columns / aspect - 1) < 0.1
    assert all(flat < square for flat, square in zip(*heights, strict=True))
