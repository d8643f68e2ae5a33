"""How deep the networks are, by the size of the images.

Paper: Fig. 13 shows the network, but neither its layers nor their widths are in the text.
Here: our own. Each level halves height and width with a 4×4 convolution of stride 2 (32, 64, 128,
128, … filters, ReLU), until the smaller side is 4 or less or a side is odd. The decoder mirrors it.

    image size     levels   smallest feature map
    64 × 64        4        4 × 4 × 128
    96 × 160       5        3 × 5 × 128
    256 × 256      6        4 × 4 × 128
    320 × 320      6        5 × 5 × 128
    512 × 512      7        4 × 4 × 128
"""

BASE_FILTERS = 32
MAX_FILTERS = 128
SMALLEST_SIDE = 4
SIZE_DIVISOR = 16


def feature_maps(image_size: tuple[int, int]) -> list[tuple[int, int, int]]:
    """The encoder's feature maps, from the largest to the smallest.

    Args:
        image_size: (height, width) in pixels, each divisible by 16.

    Returns:
        One (height, width, filters) for each level.

    Raises:
        ValueError: If a side is not a positive multiple of 16.
    """
    height, width = image_size
    if height < 1 or width < 1 or height % SIZE_DIVISOR or width % SIZE_DIVISOR:
        raise ValueError(
            f"Expected an image height and width divisible by {SIZE_DIVISOR}. "
            f"Received: image_size={height}x{width}."
        )
    maps = []
    filters = BASE_FILTERS
    while min(height, width) > SMALLEST_SIDE and height % 2 == 0 and width % 2 == 0:
        height, width = height // 2, width // 2
        maps.append((height, width, filters))
        filters = min(2 * filters, MAX_FILTERS)
    return maps
