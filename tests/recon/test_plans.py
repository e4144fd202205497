"""Layer plans: counts by hand, sizes of Table 1, and what is refused."""

import pytest

from recon import plans
from rrstyle.networks.plan import Conv, Plan, Pool, Upsample


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


@pytest.mark.parametrize("block", [1, 2, 3, 4, 5])
def test_simplified_has_the_block_alone_and_its_reduction(block):
    plan = plans.simplified(block)
    encoder = [layer for layer in plan.encoder if isinstance(layer, Conv)]
    whole = [x for x in plans.rr_vgg(f"conv{block}").encoder if isinstance(x, Conv)]
    assert encoder == whole[-len(encoder) :]
    assert len(encoder) == (2 if block < 3 else 3)
    assert plan.encoder.count(Pool()) == plan.decoder.count(Upsample()) == block - 1


def test_refusals():
    with pytest.raises(ValueError, match=r"conv1_1 to conv5_3 of vgg16; received 'conv9'"):
        plans.rr_vgg("conv9")
