"""Large pictures in strips, and wide blurs at a reduced size: as if done at once."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from rrstyle.config import NetworkConfig
from rrstyle.networks.build import cnn_network
from rrstyle.networks.plan import plan_of
from rrstyle.networks.readout import build_decoder
from rrstyle.transfer.painting import paint as module
from rrstyle.transfer.painting.paint import in_strips
from tests.support.pairs import THIN, picture, rms

# Strips


@pytest.mark.parametrize(
    "network",
    [
        THIN,
        replace(THIN, kernel=5),
        replace(THIN, kernel=4),
        replace(THIN, layer="conv1_1", padding="zero"),
    ],
    ids=["3", "5", "4", "one layer"],
)
@pytest.mark.parametrize("strip", [1, 9 * 40, 37 * 40])
def test_strips_are_the_whole_picture(network, strip, monkeypatch):
    content = picture("chelsea", 60)[:, :40]
    encode = cnn_network(network, seed=0).single
    decode = build_decoder(network, [(encode(content), content)], seed=0, wildness=0.3)
    whole = in_strips(decode, encode, content, None)
    np.testing.assert_array_equal(whole, decode(encode(content), content.shape[:2]))
    monkeypatch.setattr(module, "_STRIP", strip)
    found = in_strips(decode, encode, content, plan_of(network).halo)
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-5)


def test_strips_need_their_halo(monkeypatch):
    content = picture("chelsea", 60)[:, :40]
    encode = cnn_network(THIN, seed=0).single
    decode = build_decoder(THIN, [(encode(content), content)], seed=0, wildness=0.0)
    whole = decode(encode(content), content.shape[:2])
    monkeypatch.setattr(module, "_STRIP", 9 * 40)
    found = in_strips(decode, encode, content, plan_of(THIN).halo - 2)
    assert np.abs(found - whole).max() > 1e-4


def test_a_network_that_divides_sides_takes_the_picture_as_a_whole(monkeypatch):
    monkeypatch.setattr(module, "_STRIP", 1)
    sizes = []

    def encode(image):
        sizes.append(image.shape)
        return image

    content = picture("chelsea", 48)
    halo = plan_of(NetworkConfig(layer="conv2")).halo
    in_strips(lambda features, size: features, encode, content, halo)
    assert sizes == [content.shape]


# Blurs


@pytest.mark.parametrize("sigma", [0.5, 2.0, 5.9])
def test_a_narrow_blur_is_gaussian(sigma):
    image = picture("chelsea", 48)
    expected = ndimage.gaussian_filter(image, (sigma, sigma, 0), mode="nearest")
    np.testing.assert_array_equal(module._blurred(image, sigma), expected)


@pytest.mark.parametrize("sigma", [6.0, 10.0, 16.0])
def test_a_wide_blur_is_nearly_gaussian(sigma):
    image = picture("chelsea", 150)[:97]
    expected = ndimage.gaussian_filter(image, (sigma, sigma, 0), mode="nearest")
    found = module._blurred(image, sigma)
    assert found.shape == image.shape
    assert found.dtype == np.float32
    assert rms(found - expected) < 0.03 * rms(image - expected)
    np.testing.assert_allclose(module._blurred(np.full_like(image, 0.4), sigma), 0.4, atol=1e-6)
