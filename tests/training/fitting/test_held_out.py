"""What is said of images that a model does not know."""

import numpy as np
import pytest

from awl_vae.data.synthetic_defects import KINDS
from awl_vae.training.fitting.defects import damaged_copies
from awl_vae.training.fitting.held_out import NUM_STRANGEST, HeldOut, num_parts


class Scorer:
    """Scores an image by its first number; its map is that, everywhere."""

    image_size, batch_size = (4, 6), 7

    def score_and_map_of_features(self, features):
        scores = features[:, 0, 0, 0]
        return scores, Tensor(np.broadcast_to(scores[:, None, None], (len(scores), 4, 6)))


class Tensor(np.ndarray):
    def __new__(cls, array):
        return np.asarray(array).view(cls)

    def numpy(self):
        return np.asarray(self)


def features(indices):
    return np.float32(indices)[:, None, None, None] * np.ones((1, 2, 3, 5), np.float32)


def test_parts_are_joined_in_the_order_of_the_images(tmp_path):
    parts = []
    for number, indices in enumerate((np.array([0, 3, 40]), np.arange(4, 40), np.array([1, 2]))):
        HeldOut.of(Scorer(), features, indices, (), None).save(tmp_path / f"{number}.npz")
        parts.append(HeldOut.load(tmp_path / f"{number}.npz"))
    found = HeldOut.joined(parts)
    np.testing.assert_array_equal(found.scores, np.arange(41))
    np.testing.assert_array_equal(found.peaks, np.arange(41))
    np.testing.assert_array_equal(found.strangest, np.arange(40, 40 - NUM_STRANGEST, -1))
    np.testing.assert_array_equal(found.maps[:, 0, 0], found.strangest)


@pytest.mark.parametrize(("images", "parts"), [(3, 3), (39, 39), (40, 6), (999, 6), (5000, 3)])
def test_few_images_are_held_out_one_by_one(images, parts):
    assert num_parts(images) == parts


def test_copies_have_all_kinds_at_all_sizes_and_are_the_same_again():
    images = [
        np.random.RandomState(i).randint(60, 200, (96, 128, 3)).astype(np.uint8) for i in (0, 1)
    ]
    one, other = (
        list(damaged_copies(images.__getitem__, lambda _: np.s_[0:96, 0:128], [0, 1], range(60), 2))
        for _ in range(2)
    )
    assert {copy.kind for copy in one} == set(KINDS)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
    for copy in one:
        changed = (copy.image != images[copy.index]).any(axis=-1)
        assert changed.any()
        assert changed.sum() <= copy.extent**2 + 1e-6
    extents = np.array([copy.extent for copy in one])
    assert extents.min() < 6
    assert extents.max() > 16
