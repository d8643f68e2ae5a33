import numpy as np

from awl_vae.figures.examples import Example, read_examples, write_examples


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
