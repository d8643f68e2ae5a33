"""Gray levels and sizes: too dark, too bright, cut off, unlike those of the others."""

from collections.abc import Iterator, Sequence

import numpy as np

from awl_vae.data.check.concern import Concern, listed
from awl_vae.data.measure import CLIPPED, Measured

USED = 0.25
"""Share of the range of levels below which images are said to use little of it."""

DARK, BRIGHT = 0.05, 0.95
"""Mean levels below and above which an image is said to be very dark and very bright."""

UNLIKE = 6.0
"""Robust standard deviations (1.4826 · MAD) from the median at which an image is unlike others."""

LEAST_DEVIATION = {"brightness": 1.0 / 255.0, "height": 0.5, "width": 0.5}
"""A standard deviation is taken for no less, where nearly all images are the same."""


def dim_by_depth(images: Sequence[Measured]) -> list[str]:
    """The images of 16 bits that use little of their range, where others are of 8."""
    if all(image.bits == 16 for image in images):
        return []
    return [
        image.name
        for image in images
        if image.bits == 16 and image.contrast > 0.0 and image.brightest < USED
    ]


def level_concerns(images: Sequence[Measured]) -> Iterator[Concern]:
    """What is to be said of the gray levels of images, one by one and all together."""
    one_level = [image.name for image in images if image.contrast == 0.0]
    yield from listed("one level", one_level, "nothing but one gray level")
    dim = dim_by_depth(images)
    yield from listed(
        "16 bits among 8",
        dim,
        f"16 bits that use less than {100 * USED:g} % of their range, as 12 of them do; beside the "
        "images of 8 bits they are dark",
    )
    others = [image for image in images if image.contrast > 0.0 and image.name not in dim]
    for topic, names, text in (
        (
            "very dark",
            [image.name for image in others if image.brightness < DARK],
            f"a mean level below {100 * DARK:g} % of the range",
        ),
        (
            "very bright",
            [image.name for image in others if image.brightness > BRIGHT],
            f"a mean level above {100 * BRIGHT:g} % of the range",
        ),
        (
            "cut off at black",
            [image.name for image in others if image.black > CLIPPED],
            f"more than {100 * CLIPPED:g} % of the pixels at level 0, where nothing can be seen",
        ),
        (
            "cut off at white",
            [image.name for image in others if image.white > CLIPPED],
            f"more than {100 * CLIPPED:g} % of the pixels at the highest level, where nothing can "
            "be seen",
        ),
    ):
        yield from listed(topic, names, text)
    trained = [image for image in images if image.split == "train"]
    if trained:
        brightest = max(image.brightest for image in trained)
        yield from range_concern(brightest, max(image.bits for image in images))


def range_concern(brightest: float, bits: int) -> list[Concern]:
    """What is to be said of training images that use little of the range of levels.

    Args:
        brightest: the highest level of them, at the size of training, in [0, 1].
        bits: 8 or 16, as which they are read.
    """
    if brightest >= USED:
        return []
    return [
        Concern(
            "range of levels",
            f"the training images use the lowest {100 * brightest:.2g} % of the range of {bits} "
            f"bits; times {int(1 / max(brightest, 1e-4))} they would use all of it, and defects "
            "would be seen better",
        )
    ]


def unlike_concerns(images: Sequence[Measured]) -> Iterator[Concern]:
    """Which images differ from the others, by the median and MAD of the normal ones."""
    dim = set(dim_by_depth(images))  # that is said of them
    values = {
        "brightness": np.array([image.brightness for image in images]),
        "height": np.array([image.size[0] for image in images], float),
        "width": np.array([image.size[1] for image in images], float),
    }
    is_normal = np.array([not image.label for image in images], bool)
    if not is_normal.any():
        return
    unlike, usual = {}, {}
    for name, numbers in values.items():
        usual[name] = float(np.median(numbers[is_normal]))
        deviation = 1.4826 * np.median(np.abs(numbers[is_normal] - usual[name]))
        far = np.abs(numbers - usual[name]) > UNLIKE * max(deviation, LEAST_DEVIATION[name])
        unlike[name] = far
    sizes = [
        image.name
        for image, is_far in zip(images, unlike["height"] | unlike["width"], strict=True)
        if is_far
    ]
    yield from listed(
        "other size",
        sizes,
        f"far from the usual {usual['height']:g}x{usual['width']:g} (height x width)",
    )
    levels = [
        image.name
        for image, is_far in zip(images, unlike["brightness"], strict=True)
        if is_far and image.name not in dim
    ]
    yield from listed(
        "other brightness",
        levels,
        f"a mean level far from the usual {100 * usual['brightness']:.3g} %",
    )
