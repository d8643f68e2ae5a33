"""Files of images to measure with: those of bellows, enlarged; in colour their channels differ."""

import cv2
import numpy as np

from awl_vae.data import load_dataset


def made_images(count, side):
    """So many gray images (side, side) of uint8, one after the other."""
    for item in load_dataset("bellows", (128, 128), num_train=count, protocol="heldout").train:
        yield cv2.resize(item.load(), (side, side), interpolation=cv2.INTER_CUBIC)


def write_images(images, directory, suffix, *, is_colour):
    """Writes them into a new directory."""
    directory.mkdir(parents=True)
    for index, image in enumerate(images):
        if is_colour:
            image = np.stack([image // 2, image, 255 - image // 3], -1)
        if not cv2.imwrite(str(directory / f"{index:05d}{suffix}"), image):
            raise OSError(f"OpenCV could not write into {directory}")
