"""Hypothesis strategies of valid configs."""

from typing import Literal, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from rrstyle.config import NetworkConfig, OptimiseConfig, PaintConfig, StyleConfig

POSITIVE = st.floats(1e-6, 1e6)
SHARE = st.floats(0, 1)
COUNT = st.integers(1, 1000)
LAYERS = st.lists(st.sampled_from(["conv2_1", "conv3_3", "conv5_1"]), unique=True).map(tuple)


def choice_of(kind):
    """A strategy for every setting of `kind` that is a choice, but for the architecture."""
    hints = get_type_hints(kind).items()
    choices = {name: get_args(hint) for name, hint in hints if get_origin(hint) is Literal}
    return {n: st.sampled_from(c) for n, c in choices.items() if n != "architecture"}


NETWORKS = st.builds(
    NetworkConfig,
    layer=st.sampled_from(["conv1", "conv1_2", "conv3_3", "conv5"]),
    channels=st.none() | COUNT,
    kernel=st.none() | st.integers(1, 99),
    std=st.floats(1e-4, 100),
    **choice_of(NetworkConfig),
) | st.builds(NetworkConfig, architecture=st.just("alexnet"), layer=st.just("conv4"))
OPTIMISERS = st.builds(
    OptimiseConfig,
    steps=st.lists(COUNT, min_size=1, max_size=6).map(tuple),
    learning_rate=st.floats(1e-6, 10),
    style_weight=POSITIVE,
    content_weight=st.floats(0, 1e6),
    content_layers=LAYERS,
    style_layers=LAYERS,
    **choice_of(OptimiseConfig),
)
PAINTS = st.builds(
    PaintConfig,
    size=st.integers(1, 10).map(lambda n: 2 * n + 1),
    rounds=st.lists(st.integers(1, 100), min_size=1, max_size=12).map(tuple),
    content_mix=st.tuples(SHARE, SHARE),
    calm=SHARE,
    diversity=SHARE,
    detail=SHARE,
    coarsest=COUNT,
    searched=COUNT,
    matched=COUNT,
    keys=COUNT,
    projection=COUNT,
    completeness=POSITIVE,
    variety=st.floats(0, 10),
    occupancy=st.floats(0, 10),
    coherence=st.floats(1, 10),
)
STYLES = st.builds(
    StyleConfig,
    decoder=st.just("ridge"),
    wildness=SHARE,
    fvt_seed=st.none() | st.integers(0, 2**40),
    strength=SHARE,
    side=st.integers(16, 8192),
    style_scale=st.floats(0.25, 4),
    keep_colours=st.booleans(),
    weights=st.text(min_size=1),
    encoder=NETWORKS,
    optimise=OPTIMISERS,
    paint=PAINTS,
    **{k: v for k, v in choice_of(StyleConfig).items() if k != "decoder"},
)
