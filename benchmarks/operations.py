"""Floating-point operations of the network, counted from its shapes."""

from awl_vae.models.shapes import feature_maps

KERNEL = 4 * 4


def count_operations(
    image_size: tuple[int, int], *, latent_dim: int, num_maps: int
) -> tuple[int, int]:
    """Operations for one image: multiplications and additions of all layers with a kernel.

    Args:
        image_size: (height, width) in pixels.
        latent_dim: number of latent variables.
        num_maps: number of the decoder's output maps.

    Returns:
        (forward, training step); a step takes three times the forward ones, but no gradient with
        respect to the image.
    """
    maps = feature_maps(image_size)
    filters = [1, *(f for _, _, f in maps)]
    encoder = [
        height * width * KERNEL * before * after
        for (height, width, _), before, after in zip(maps, filters, filters[1:], strict=False)
    ]
    # The decoder's layers are the encoder's, but for the number of maps at the end.
    decoder = [encoder[0] * num_maps, *encoder[1:]]
    flat = maps[-1][0] * maps[-1][1] * maps[-1][2]
    dense = flat * 2 * latent_dim + latent_dim * flat
    forward = 2 * (sum(encoder) + sum(decoder) + dense)
    return forward, 3 * forward - 2 * encoder[0]
