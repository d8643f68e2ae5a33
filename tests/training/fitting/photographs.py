"""Photographs of a product in colours, that are drawn."""

import cv2
import numpy as np

from awl_vae.data.dataset import mask_path


def part(seed, size=(72, 96), *, defect=None):
    """A green part on gray, in light that varies; (image BGR, mask of its defect)."""
    random = np.random.RandomState(seed)
    height, width = size
    image = np.full((height, width, 3), 90 + random.randint(-15, 15), np.float32)
    centre = width // 2 + random.randint(-1, 2), height // 2 + random.randint(-1, 2)
    cv2.circle(image, centre, min(size) // 3, (60, 170, 70), -1, cv2.LINE_AA)
    cv2.circle(image, centre, min(size) // 8, (30, 60, 40), -1, cv2.LINE_AA)
    mask = np.zeros(size, np.uint8)
    if defect:
        y, x = (side // 2 + random.randint(-12, 12) for side in size)
        cv2.rectangle(mask, (x - 5, y - 5), (x + 5, y + 5), 255, -1)
        image[mask > 0] = (40, 40, 220) if defect == "red" else (230, 230, 230)
    image += random.normal(0, 4, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), mask


def write_good(directory, count, **kind):
    """Good images of a folder without any other."""
    directory.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        cv2.imwrite(str(directory / f"{seed:03d}.png"), part(seed, **kind)[0])
    return directory


def write_layout(root, count):
    """The layout of MVTec AD, with two kinds of defects, of which one has masks."""
    write_good(root / "train/good", count)
    for index in range(8):
        for kind, defect in (("good", None), ("red", "red"), ("white", "white")):
            image, mask = part(1000 + index, defect=defect)
            name = f"test/{kind}/{index:03d}.png"
            files = {name: image} | ({mask_path(name): mask} if defect == "red" else {})
            for file, content in files.items():
                path = root / file
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), content)
    return root
