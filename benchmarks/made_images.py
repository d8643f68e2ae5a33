"""Files of images to measure with."""

import os

import cv2
import numpy as np

from awl_vae.data import load_dataset


def made_images(count, side):
    """So many gray images (side, side) of uint8: those of bellows, enlarged."""
    for item in load_dataset("bellows", (128, 128), num_train=count, protocol="heldout").train:
        yield cv2.resize(item.load(), (side, side), interpolation=cv2.INTER_CUBIC)


def write_images(images, directory, suffix, *, is_colour):
    """Writes them into a new directory; in colour their channels differ."""
    directory.mkdir(parents=True)
    for index, image in enumerate(images):
        if is_colour:
            image = np.stack([image // 2, image, 255 - image // 3], -1)
        if not cv2.imwrite(str(directory / f"{index:05d}{suffix}"), image):
            raise OSError(f"OpenCV could not write into {directory}")


def write_folders(root, counts, side):
    """Writes a folder of clouds for each number; the smaller ones are links into the largest."""
    folders = {count: root / str(count) / "train/good" for count in counts}
    for folder in folders.values():
        folder.mkdir(parents=True)
    for index in range(counts[-1]):
        path = folders[counts[-1]] / f"{index:05d}.png"
        _write_clouds(path, index, side)
        for count in (count for count in counts[:-1] if index < count):
            os.link(path, folders[count] / path.name)


def _write_clouds(path, index, side):
    rng = np.random.RandomState(index)
    size = (side, side)
    image = 128 + 400 * cv2.GaussianBlur(rng.normal(0, 1, size), (0, 0), 8) + rng.normal(0, 3, size)
    cv2.imwrite(str(path), np.clip(np.rint(image), 0, 255).astype(np.uint8))
