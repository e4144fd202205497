"""The plans of VGG16 and AlexNet, against the papers."""

import re

import pytest

from rrstyle.config import NetworkConfig
from rrstyle.networks.plan import (
    ALEXNET,
    ARCHITECTURES,
    VGG16,
    Conv,
    Plan,
    Pool,
    Upsample,
    kernel_shapes,
    mirrored,
    plan_of,
)


def names(architecture, layer):
    return [c.name for c in architecture.up_to(layer)]


def test_vgg16_as_published():
    assert [(c.name, c.channels) for c in VGG16.convolutions] == [
        ("conv1_1", 64),
        ("conv1_2", 64),
        ("conv2_1", 128),
        ("conv2_2", 128),
        ("conv3_1", 256),
        ("conv3_2", 256),
        ("conv3_3", 256),
        ("conv4_1", 512),
        ("conv4_2", 512),
        ("conv4_3", 512),
        ("conv5_1", 512),
        ("conv5_2", 512),
        ("conv5_3", 512),
    ]
    assert {(c.kernel, c.stride, c.groups) for c in VGG16.convolutions} == {(3, 1, 1)}
    pools = [VGG16.layers[i - 1] for i, x in enumerate(VGG16.layers) if x == Pool("max", 2)]
    assert [c.name for c in pools] == ["conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3"]


def test_alexnet_as_published():
    found = [(c.name, c.channels, c.kernel, c.stride, c.groups) for c in ALEXNET.convolutions]
    assert found == [
        ("conv1_1", 96, 11, 4, 1),
        ("conv2_1", 256, 5, 1, 2),
        ("conv3_1", 384, 3, 1, 1),
        ("conv4_1", 384, 3, 1, 2),
        ("conv5_1", 256, 3, 1, 2),
    ]
    pools = [ALEXNET.layers[i - 1] for i, x in enumerate(ALEXNET.layers) if x == Pool("max", 3, 2)]
    assert [c.name for c in pools] == ["conv1_1", "conv2_1", "conv5_1"]


def test_architectures_are_found_by_their_names():
    assert {"vgg16": VGG16, "alexnet": ALEXNET} == ARCHITECTURES


def test_parameters_of_alexnets_grouped_convolutions():
    # Krizhevsky et al.: conv2 filters are 5x5x48, conv4 and conv5 filters 3x3x192.
    plan = plan_of(NetworkConfig(architecture="alexnet", layer="conv5"))
    assert [s[2] for s in kernel_shapes(plan.encoder, 3)] == [3, 48, 256, 192, 192]


def test_up_to_takes_one_convolution_or_a_whole_block():
    assert names(VGG16, "conv1_1") == ["conv1_1"]
    assert names(VGG16, "conv1") == names(VGG16, "conv1_2") == ["conv1_1", "conv1_2"]
    assert names(VGG16, "conv3_1")[-1] == "conv3_1"
    assert VGG16.up_to("conv5") == VGG16.convolutions
    assert names(ALEXNET, "conv3") == ["conv1_1", "conv2_1", "conv3_1"]


@pytest.mark.parametrize(
    "layer",
    ["conv0", "conv6", "conv1_3", "conv3_4", "conv", "conv1_", "conv1_0", "conv01", "conv1_01"],
)
def test_a_layer_that_is_not_there(layer):
    check_refused(layer)


@pytest.mark.parametrize(
    "layer", ["Conv1_1", "conv1_1 ", "conv1_1\n", "relu1_1", "", "conv１", "conv-1"]
)
def test_what_is_no_layers_name(layer):
    check_refused(layer)


def check_refused(layer):
    rule = f"layer must be conv1_1 to conv5_3 of vgg16; received {layer!r}"
    with pytest.raises(ValueError, match=re.escape(rule)):
        VGG16.up_to(layer)


def test_the_error_names_the_architectures_own_layers():
    with pytest.raises(ValueError, match=r"conv1_1 to conv5_1 of alexnet; received 'conv5_3'"):
        ALEXNET.up_to("conv5_3")


def sides(config, side):
    found = [side]
    for layer in plan_of(config).encoder:
        side = -(-side // layer.stride)
        if side != found[-1]:
            found.append(side)
    return found


def test_table_1_of_the_paper_conv5_deconv5():
    # "26 convolutions, 4 poolings", sides 227, 114, 57, 29, 15.
    config = NetworkConfig(layer="conv5")
    plan = plan_of(config)
    assert sum(isinstance(x, Conv) for x in (*plan.layers, plan.head)) == 26
    assert sum(isinstance(x, Pool) for x in plan.encoder) == 4
    assert sum(isinstance(x, Upsample) for x in plan.decoder) == 4
    assert sides(config, 227) == [227, 114, 57, 29, 15]
    # Table 1's sizes of the representation, Conv1 to Conv5; only Conv5 is smaller than the input.
    products = []
    for k in range(1, 6):
        config = NetworkConfig(layer=f"conv{k}")
        products.append(sides(config, 227)[-1] ** 2 * plan_of(config).features)
    assert products == [227**2 * 64, 114**2 * 128, 57**2 * 256, 29**2 * 512, 15**2 * 512]
    assert [p > 227**2 * 3 for p in products] == [True, True, True, True, False]


def test_a_tap_behind_the_pool_has_one_pool_more_where_a_pool_follows():
    def pools(**settings):
        return sum(isinstance(x, Pool) for x in plan_of(NetworkConfig(**settings)).encoder)

    assert pools(layer="conv1") == 0
    assert pools(layer="conv1", tap="post_pool") == 1  # CD1 of section 4.2
    assert pools(layer="conv5", tap="post_pool") == 5
    assert pools(layer="conv1_1", tap="post_pool") == 0  # conv1_2 follows, no pool
    assert pools(architecture="alexnet", layer="conv4", tap="post_pool") == 2
    assert pools(architecture="alexnet", layer="conv5", tap="post_pool") == 3


def test_alexnets_sides():
    config = NetworkConfig(architecture="alexnet", layer="conv5", tap="post_pool")
    assert [x.stride for x in plan_of(config).encoder if x.stride > 1] == [4, 2, 2, 2]
    assert plan_of(config).reduction == 32
    assert sides(config, 227) == [227, 57, 29, 15, 8]


def test_channels_and_kernels_can_be_set_for_all_layers():
    plan = plan_of(NetworkConfig(layer="conv2", channels=8, kernel=5))
    shapes = [(5, 5, 3, 8)] + [(5, 5, 8, 8)] * 3
    assert kernel_shapes(plan.encoder, 3) == shapes
    assert kernel_shapes((*plan.decoder, plan.head), 8) == [(5, 5, 8, 8)] * 3 + [(5, 5, 8, 3)]


def test_channels_that_cannot_be_split_into_the_groups():
    rule = "channels must be a multiple of 2, the groups of conv2_1; received 5"
    with pytest.raises(ValueError, match=re.escape(rule)):
        plan_of(NetworkConfig(architecture="alexnet", layer="conv2", channels=5))
    plan_of(NetworkConfig(architecture="alexnet", layer="conv1", channels=5))


def test_a_mirror_undoes_each_stride_in_turn_with_a_convolution_between():
    encoder = (Conv(8, 5, stride=4, name="conv1_1"), Pool("max", 3, 2), Conv(6, groups=2))
    plan = mirrored(encoder, upsampling="nearest")
    up = Upsample("nearest")
    decoder = Conv(8, groups=2), up, Conv(8, 3), up
    assert plan == Plan(encoder, decoder, Conv(3, 5, name="deconv1_1"))
    # A stride of 4 takes a filter that reaches 3 pixels to either side.
    twice = mirrored((Conv(8, 5, stride=2), Pool("max", 4)), inputs=1)
    zero = Upsample("zero")
    assert twice.decoder == (zero, Conv(8, 7), zero)


def test_a_mirror_needs_a_convolution_first_and_pools_that_shrink():
    with pytest.raises(ValueError, match="encoder must start with a convolution; received"):
        mirrored((Pool(),))
    with pytest.raises(ValueError, match="stride of at least 2; received Pool"):
        mirrored((Conv(2), Pool("max", 3, 1)))


def test_settings_of_a_config_are_those_of_its_plan():
    plan = plan_of(NetworkConfig(padding="zero", encoder_activation="leaky_relu", pooling="l2"))
    assert (plan.padding, plan.encoder_activation, plan.decoder_activation, plan.biases) == (
        "zero",
        "leaky_relu",
        "relu",
        True,
    )


def test_the_halo_by_hand():
    # conv1_2 and its mirror: 2 + 2 convolutions, half a filter each.
    assert plan_of(NetworkConfig(kernel=3)).halo == 4
    assert plan_of(NetworkConfig(kernel=5)).halo == 8
    assert plan_of(NetworkConfig(layer="conv1_1", kernel=5)).halo == 4
    assert plan_of(NetworkConfig(kernel=1)).halo == 0
    assert plan_of(NetworkConfig(kernel=4)).halo == 8  # an even filter: its longer arm


@pytest.mark.parametrize(
    "settings",
    [{"layer": "conv2"}, {"tap": "post_pool"}, {"architecture": "alexnet", "layer": "conv1"}],
)
def test_a_cnn_that_divides_sides_has_no_halo(settings):
    assert plan_of(NetworkConfig(**settings)).halo is None
