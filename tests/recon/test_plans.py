"""Layer plans: counts by hand, sizes of Table 1, what DCNs can write, and what is refused."""

import numpy as np
import pytest

from recon import plans
from rrstyle.config import NetworkConfig
from rrstyle.networks.build import decoder_model
from rrstyle.networks.plan import ARCHITECTURES, Conv, Plan, Pool, Upsample, plan_of


def test_cd1_of_section_4_2_by_hand():
    # "two convolutional operators, one pooling operator, one upsampling operator and another two"
    plan = plans.rr_vgg("conv1", tap="post_pool", channels=8)
    one, two = (Conv(8, name=f"conv1_{i}") for i in (1, 2))
    assert plan.encoder == (one, two, Pool("max"))
    assert plan.decoder == (Upsample("zero"), Conv(8, name="deconv1_2"))
    assert plan.head == Conv(3, name="deconv1_1")
    assert plan.layers == plan.encoder + plan.decoder


def test_cd5_has_26_convolutions_and_4_pools():
    layers = plans.rr_vgg("conv5").layers
    assert sum(isinstance(layer, Conv) for layer in layers) + 1 == 26  # and the head's
    assert sum(isinstance(layer, Pool) for layer in layers) == 4
    assert sum(isinstance(layer, Upsample) for layer in layers) == 4


def test_channels_mirror_vgg16():
    plan = plans.rr_vgg("conv3", upsampling="nearest")
    convolutions = [layer.channels for layer in plan.layers if isinstance(layer, Conv)]
    assert convolutions == [64, 64, 128, 128, 256, 256, 256, 256, 256, 128, 128, 64, 64]
    assert [x for x in plan.layers if isinstance(x, Upsample)] == [Upsample("nearest")] * 2


def test_one_layer_with_large_filters():
    plan = plans.rr_vgg("conv1_1", kernel=9)
    head = Conv(3, 9, name="deconv1_1")
    assert plan == Plan((Conv(64, 9, name="conv1_1"),), (), head)


def test_at_full_size_keeps_the_convolutions():
    plan = plans.rr_vgg("conv4", tap="post_pool", kernel=5)
    kept = plans.at_full_size(plan)
    assert kept.layers == tuple(layer for layer in plan.layers if isinstance(layer, Conv))
    assert kept.head == plan.head
    # What lies between two upsamplings goes with them.
    convolutions = [layer for layer in plans.simplified(5).encoder if isinstance(layer, Conv)]
    assert [c.name for c in plans.at_full_size(plans.simplified(5)).layers] == [
        *(c.name for c in convolutions),
        "deconv5_3",
        "deconv5_2",
    ]


@pytest.mark.parametrize("block", [1, 2, 3, 4, 5])
def test_simplified_has_the_block_alone_and_its_reduction(block):
    plan = plans.simplified(block)
    encoder = [layer for layer in plan.encoder if isinstance(layer, Conv)]
    whole = [x for x in plans.rr_vgg(f"conv{block}").encoder if isinstance(x, Conv)]
    assert encoder == whole[-len(encoder) :]
    assert len(encoder) == (2 if block < 3 else 3)
    assert plan.encoder.count(Pool()) == plan.decoder.count(Upsample()) == block - 1


def thin_plans():
    """Every plan of the papers and of the study, of 2 channels, with zeros inserted."""
    for architecture in ARCHITECTURES:
        for block in range(1, 6):
            for tap in ("pre_pool", "post_pool"):
                config = NetworkConfig(
                    architecture, f"conv{block}", channels=2, tap=tap, padding="zero"
                )
                yield f"{architecture} conv{block} {tap}", plan_of(config)
    for block in range(1, 6):
        yield f"simplified {block}", plans.simplified(block)


PLANS = dict(thin_plans())


@pytest.mark.parametrize("name", PLANS)
def test_every_pixel_of_a_dcn_depends_on_its_features(name):
    plan = PLANS[name]
    model = decoder_model(plan)
    # Means over filters keep what is positive positive; what no feature reaches is exactly 0.
    model.set_weights(
        [np.full_like(w, w.ndim == 4) / np.prod(w.shape[:-1]) for w in model.get_weights()]
    )
    for height, width in ((1, 2), (3, 8), (15, 17), (48, 47), (64, 31)):
        sides = (-(-side // plan.reduction) for side in (height, width))
        features = np.ones((1, *sides, plan.features), np.float32)
        image = np.asarray(model([features, np.empty((1, height, width, 1), np.float32)]))
        assert image.shape == (1, height, width, 3)
        assert (image > 0).all(), (height, width)


def test_refusals():
    with pytest.raises(ValueError, match=r"conv1_1 to conv5_3 of vgg16; received 'conv9'"):
        plans.rr_vgg("conv9")
