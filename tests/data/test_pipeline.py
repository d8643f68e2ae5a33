from pathlib import Path

import numpy as np
import pytest
from conftest import stripes

from awl_vae.data import (
    DataError,
    Dataset,
    ImageCache,
    Item,
    TrainingBatches,
    prepare,
    scoring_batches,
)


def items(split, count, *, defect=None, dtype=np.uint8):
    return tuple(
        Item(
            name=f"{split}/{index}",
            defect=defect,
            load=lambda index=index: np.full((4, 6), index, dtype),
        )
        for index in range(count)
    )


def dataset(**kwargs):
    splits = {"train": items("train", 10), "calibration": (), "adapt": items("adapt", 3)}
    return Dataset(**splits | {"test": ()} | kwargs)


def prepared(directory, images=None):
    return prepare(
        images or dataset(),
        cache_path=directory / "cache.npy",
        manifest_path=directory / "dataset.json",
        num_threads=2,
    )


def first_pixels(batches):
    """By batch, what the images of `items` are filled with."""
    return [np.rint(batch[:, 0, 0, 0] * 255).astype(int).tolist() for batch in batches]


def training(data, seed=1, **kwargs):
    return TrainingBatches(data.cache, data.positions["train"], batch_size=4, seed=seed, **kwargs)


def test_an_epoch_holds_every_image_once_and_the_last_batch_what_is_left(tmp_path):
    batches = training(prepared(tmp_path))
    pixels = first_pixels(batches.dataset)
    assert [len(batch) for batch in pixels] == [4, 4, 2]
    assert batches.steps_per_epoch == 3
    assert sorted(sum(pixels, [])) == list(range(10))
    assert next(iter(batches.dataset)).shape == (4, 4, 6, 1)


def test_the_order_is_a_function_of_seed_and_epoch(tmp_path):
    data = prepared(tmp_path)
    batches, again, other = training(data), training(data), training(data, seed=2)
    orders = []
    for epoch in (1, 2, 3):
        batches.epoch = epoch
        orders.append(first_pixels(batches.dataset))
    assert orders[0] != orders[1] != orders[2]
    again.epoch = 3  # without having been through 1 and 2
    assert first_pixels(again.dataset) == orders[2]
    batches.epoch = 1
    assert first_pixels(batches.dataset) == orders[0]
    assert first_pixels(other.dataset) != orders[0]


def test_repeats(tmp_path):
    batches = training(prepared(tmp_path), repeats=3)
    assert batches.steps_per_epoch == 8
    assert sorted(sum(first_pixels(batches.dataset), [])) == sorted(list(range(10)) * 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_one_in_8_and_16_bit(tmp_path, dtype):
    white = Item(name="w", defect=None, load=lambda: np.full((4, 6), np.iinfo(dtype).max, dtype))
    data = prepared(tmp_path, dataset(train=(white,)))
    (batch,) = scoring_batches(data.cache, data.positions["train"], 8)
    assert batch.dtype == "float32"
    assert set(np.ravel(batch)) == {1.0}
    assert set(np.ravel(data.images("train", [0]))) == {1.0}


def test_scoring_batches_keep_the_order(tmp_path):
    data = prepared(tmp_path)
    assert first_pixels(scoring_batches(data.cache, data.positions["train"], 4)) == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert first_pixels(scoring_batches(data.cache, data.positions["adapt"], 4)) == [[0, 1, 2]]
    assert first_pixels(scoring_batches(data.cache, data.positions["test"], 4)) == []


def test_no_tuner_holds_up_the_end_of_an_epoch(tmp_path):
    data = prepared(tmp_path)
    scoring = scoring_batches(data.cache, data.positions["adapt"], 4)
    for dataset in (training(data).dataset, scoring):
        assert dataset.options().autotune.enabled is False


def test_images_are_decoded_once(tmp_path):
    loads = []

    def load():
        loads.append(1)
        return stripes(0)

    counted = dataset(train=(Item(name="c", defect=None, load=load),), adapt=())
    first = prepared(tmp_path, counted)
    second = prepared(tmp_path, counted)
    for data in (first, second):
        for _ in range(2):
            list(training(data).dataset)
    assert len(loads) == 1


def test_going_on_with_other_images_is_refused(tmp_path):
    prepared(tmp_path)
    with pytest.raises(DataError, match=r"Received: 1 more and 0 missing \(first: train/10\)"):
        prepared(tmp_path, dataset(train=items("train", 11)))
    with pytest.raises(DataError, match="the same files in other splits or classes"):
        prepared(tmp_path, dataset(adapt=items("adapt", 3, defect="hole")))
    (tmp_path / "cache.npy").unlink()
    changed = Item(name="train/0", defect=None, load=lambda: np.full((4, 6), 99, np.uint8))
    with pytest.raises(DataError, match="the same names with another content"):
        prepared(tmp_path, dataset(train=(changed, *items("train", 10)[1:])))
    assert not (tmp_path / "cache.npy").exists()
    prepared(tmp_path)  # the images it was begun with are taken


def test_reading_the_cache_does_not_map_it(tmp_path):
    data = prepared(tmp_path)
    assert isinstance(data.cache, ImageCache)
    data.cache.read(np.arange(10))
    assert str(tmp_path / "cache.npy") not in Path("/proc/self/maps").read_text()
