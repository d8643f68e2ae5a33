import numpy as np
import pytest
from conftest import stripes

from awl_vae.data import Item, synthetic_copies
from awl_vae.data.synthetic_defects import (
    KINDS,
    LEAST_COPIES,
    VERSION,
    VISIBILITY,
    add_defect,
    originals,
)


def draw(kind, seed=0, version=VERSION, **kwargs):
    images = (stripes(index, size=(48, 64), **kwargs) for index in range(2))
    image, source = images
    rng = np.random.RandomState(seed)
    return (image, *add_defect(image, source, rng, kind, version=version))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(20))
def test_a_defect_is_where_its_mask_is_and_can_be_seen(kind, seed):
    image, damaged, mask = draw(kind, seed)
    assert (damaged.shape, damaged.dtype, mask.dtype) == (image.shape, image.dtype, bool)
    np.testing.assert_array_equal(damaged[~mask], image[~mask])
    change = np.abs(damaged.astype(float) - image)
    dark, bright = np.quantile(image, (0.01, 0.99))
    seen = change[mask] >= VISIBILITY[VERSION].change * (bright - dark) - 1
    assert seen.mean() >= VISIBILITY[VERSION].share == 0.25
    assert 0 < mask.mean() < 0.3


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_follow_the_image_and_contrasts_its_range(kind):
    image, source = (stripes(index, size=(120, 120)) for index in range(2))
    _, mask = add_defect(image, source, np.random.RandomState(1), kind)
    large, other = (np.kron(x, np.ones((3, 3), x.dtype)) for x in (image, source))
    _, large_mask = add_defect(large, other, np.random.RandomState(1), kind)
    assert large_mask.mean() == pytest.approx(mask.mean(), rel=0.6)
    full, _ = add_defect(image, source, np.random.RandomState(1), kind)
    # In 16 bit a tenth of the range, and a 250th: the same defect, of so much less contrast.
    for gain in (25, 1):
        dim, dim_source = (x.astype(np.uint16) * gain + 1000 for x in (image, source))
        damaged, dim_mask = add_defect(dim, dim_source, np.random.RandomState(1), kind)
        np.testing.assert_array_equal(dim_mask, mask)
        assert np.abs((damaged - 1000.0) / gain - full)[mask].mean() < 2


def test_colours_and_depths():
    for dtype in (np.uint8, np.uint16):
        image = np.stack([stripes(index, dtype=dtype) for index in range(3)], axis=-1)
        source = np.stack([stripes(index) for index in range(3, 6)], axis=-1)
        for kind in KINDS:
            damaged, mask = add_defect(image, source, np.random.RandomState(0), kind)
            assert (damaged.shape, damaged.dtype) == (image.shape, dtype)
            assert (damaged != image).any(axis=-1)[mask].any()
            assert not (damaged != image)[~mask].any()


def test_what_0_1_0_drew_and_can_hardly_be_seen_is_drawn_anew():
    """Where it can be seen, it is the same to the bit."""
    share = VISIBILITY[VERSION].share
    same = dict.fromkeys(KINDS, 0)
    for kind in KINDS:
        for seed in range(30):
            image, before, mask = draw(kind, seed, version=1)
            change = np.abs(before.astype(float) - image)[mask]
            dark, bright = np.quantile(image, (0.01, 0.99))
            was_seen = (change >= VISIBILITY[VERSION].change * (bright - dark) + 1).mean() >= share
            is_same = (draw(kind, seed)[1] == before).all()
            assert is_same or not was_seen
            same[kind] += int(is_same)
    assert min(same, key=same.get) == "blur"
    assert 0 < same["blur"] < 30


def test_the_same_seed_gives_the_same_defect():
    first, second, other = (draw(None, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first[1], second[1])
    assert (first[1] != other[1]).any()


def test_what_cannot_be_seen_is_an_error():
    flat = np.full((32, 32), 100, np.uint8)
    with pytest.raises(ValueError, match="on which a blur can be seen"):
        add_defect(flat, flat, np.random.RandomState(0), "blur")
    with pytest.raises(ValueError, match=r"shape \(32, 32\). Received: \(32, 31\)"):
        add_defect(flat, flat[:, 1:], np.random.RandomState(0))


def items(count):
    return [Item(f"{i}.png", None, lambda i=i: stripes(i)) for i in range(count)]


@pytest.mark.parametrize("count", [1, 7, LEAST_COPIES + 3])
def test_each_image_is_damaged_and_all_kinds_in_turn(count):
    copies = synthetic_copies(items(count))
    assert len(copies) == max(count, LEAST_COPIES)
    assert len({copy.name for copy in copies}) == len(copies)
    assert [copy.defect for copy in copies[:7]] == [*KINDS, *KINDS][:7]
    assert all(copy.label == 1 for copy in copies)
    assert len(originals(count)) == len(copies)
    for copy, number in zip(copies[:10], originals(count), strict=False):
        image, mask = copy.load(), copy.load_mask()
        assert ((image != stripes(number)) <= mask).all()
        assert (image != stripes(number)).any()


@pytest.mark.parametrize("level", [0, 100, 255])
def test_an_image_of_one_level_gets_what_can_be_seen_on_it(level):
    flat = Item("flat.png", None, lambda: np.full((32, 32), level, np.uint8))
    assert all((copy.load() != flat.load()).any() for copy in synthetic_copies([flat]))
