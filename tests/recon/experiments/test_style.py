"""The studies of style transfer: that they measure the library's own, and what rows must show."""

from dataclasses import replace

import numpy as np
import pytest

from recon.data.pictures import load_pictures
from recon.experiments.style import transfers
from rrstyle.examples import style_picture
from rrstyle.pipeline import stylize

SIDE, SEED = 36, 5


@pytest.fixture(scope="module")
def pair():
    """A pair behind a random network, whose FVT takes three steps."""
    pictures, _ = load_pictures(None, 1, SIDE, seed=0)
    config = transfers.config_of("paper-32", steps=3)
    style = style_picture("waves", side=SIDE)
    return transfers.Pair(pictures.pixels[0], style, config, seed=SEED)


@pytest.mark.parametrize("decoder", transfers.DECODERS)
def test_a_transfer_is_that_of_the_library(pair, decoder):
    config = replace(pair.config, decoder=decoder, side=SIDE, fvt_seed=SEED + 1)
    expected = stylize(pair.content, pair.style, config, seed=SEED)
    found = pair.decoded(pair.optimised(SEED + 1), decoder)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_losses_are_the_parts_of_the_objective(pair):
    v = pair.optimised(SEED)
    content, style = pair.losses(v, SEED)
    whole = pair.objective(SEED, content_weight=2.0, style_weight=300.0).value(v)
    assert whole == pytest.approx(2 * content + 300 * style, rel=1e-4)
    at_start = pair.losses(pair.v_c, SEED)
    assert at_start[0] == pytest.approx(0, abs=1e-6)
    assert at_start[1] > style > 0
