"""Operations of networks, counted by hand."""

from recon import costs
from rrstyle.config import StyleConfig
from rrstyle.transfer.feature_networks import pyramid_network, vgg_network


def test_operations_by_hand() -> None:
    shape = costs.ConvolutionShape((2, 3), 5, 4, 6)
    assert shape.operations == 2 * (2 * 3) * (5 * 5) * 4 * 6
    plan = pyramid_network(16, size=(16, 21), seed=0, dtype="float32").network.model
    shapes = costs.convolution_shapes(plan, (16, 21))
    expected = [((16, 21), 3), ((16, 21), 7), ((8, 11), 3), ((8, 11), 7)]
    assert [(s.size, s.kernel) for s in shapes] == expected
    assert {(s.inputs, s.channels) for s in shapes} == {(16, 64)}
    plan = vgg_network(16, StyleConfig(), seed=0, dtype="float32").network.model
    shapes = costs.convolution_shapes(plan, (64, 64))
    first, last = shapes[0], shapes[-1]
    assert (first.size, first.kernel, first.inputs, first.channels) == ((32, 32), 3, 16, 128)
    assert (last.size, last.kernel, last.inputs, last.channels) == ((4, 4), 3, 512, 512)
