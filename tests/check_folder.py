"""A folder of images with which nothing is wrong."""

import cv2
import numpy as np

NUM_TRAIN, NUM_TEST = 40, 8


def texture(seed, *, size=(48, 64), defect=False):
    """A gray image of a pattern of its own, with a mean level near 120.

    A defect turns a part of it around, so that its levels stay the same.
    """
    rng = np.random.RandomState(seed)
    coarse = rng.uniform(-1, 1, (6, 8))
    image = cv2.resize(coarse - coarse.mean(), size[::-1], interpolation=cv2.INTER_CUBIC)
    image = 120 + 40 * (image - image.mean()) + rng.normal(0, 5, size)
    image = np.rint(np.clip(image, 0, 255)).astype(np.uint8)
    if defect:
        image[16:32, 16:32] = image[16:32, 16:32][::-1, ::-1]
    return image


def clean_folder(root):
    """The layout of MVTec AD, with a mask for each defect."""
    for folder, count, first in (
        ("train/good", NUM_TRAIN, 0),
        ("test/good", NUM_TEST, 100),
        ("test/hole", NUM_TEST, 200),
    ):
        (root / folder).mkdir(parents=True)
        for index in range(count):
            image = texture(first + index, defect=folder == "test/hole")
            cv2.imwrite(str(root / folder / f"{index:03d}.png"), image)
    (root / "ground_truth/hole").mkdir(parents=True)
    mask = np.zeros((48, 64), np.uint8)
    mask[16:32, 16:32] = 255
    for index in range(NUM_TEST):
        cv2.imwrite(str(root / f"ground_truth/hole/{index:03d}_mask.png"), mask)
    return root
