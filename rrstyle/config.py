"""Every setting of the library and its default, for command line, page and recipes.

This file imports nothing heavy: the command needs it to print its help.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import partial
from typing import Any, Literal, get_args, get_origin, get_type_hints

from rrstyle.networks.plan import ARCHITECTURES, VGG16, Activation, PoolKind, UpsampleKind


class Checked:
    """Checks on construction that choices are among theirs and nested configs are configs."""

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            if get_origin(hint) is Literal:
                choices = get_args(hint)
                self.require(f"one of {', '.join(map(str, choices))}", choices.__contains__, name)
            if is_dataclass(hint):
                self.require(f"a {hint.__name__}", partial(is_a, hint), name)  # type: ignore
        self.check()

    def check(self) -> None:
        """Rules beyond the choices; overridden where there are any."""

    def require(self, words: str, holds: Callable[[Any], bool], *names: str) -> None:
        """Raises ValueError, saying `words`, for a field of `names` where `holds` is false."""
        for name in names:
            value = getattr(self, name)
            if not holds(value):
                raise ValueError(f"{name} must be {words}; received {value!r}")

    def require_whole(self, low: int, high: int, *names: str) -> None:
        """Raises ValueError for a field of `names` that is no integer from `low` to `high`."""
        self.require(f"an integer from {low} to {high}", lambda v: is_whole(v, low, high), *names)

    def require_number(self, low: float, high: float, *names: str) -> None:
        """Raises ValueError for a field of `names` that is no number from `low` to `high`."""
        self.require(f"from {low:g} to {high:g}", lambda v: is_number(v, low, high), *names)


def is_a(kind: type, value: Any) -> bool:
    """Whether a value is a `kind`, and no empty text."""
    return isinstance(value, kind) and value != ""


def is_whole(value: Any, low: float, high: float) -> bool:
    """Whether a value is an integer from `low` to `high`; True is none."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_number(value: Any, low: float, high: float) -> bool:
    """Whether a value is a number from `low` to `high`; True is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def is_seed(value: Any) -> bool:
    """Whether a value is an integer from 0 to 2^128, so that a file name can hold it."""
    return is_whole(value, 0, 2**128)


def is_share(value: Any) -> bool:
    """Whether a value is a number from 0 to 1."""
    return is_number(value, 0, 1)


def are(holds: Callable[[Any], bool], values: Any, least: int, most: float) -> bool:
    """Whether `values` is a tuple of `least` to `most` values for which `holds` is true."""
    return isinstance(values, tuple) and least <= len(values) <= most and all(map(holds, values))


@dataclass(frozen=True)
class NetworkConfig(Checked):
    """A random CNN and its mirrored DCN."""

    architecture: Literal["vgg16", "alexnet"] = "vgg16"
    """Layer plan of the CNN."""
    layer: str = "conv1_2"
    """Last convolution of the CNN: conv<i>_<j>, or conv<i> for the last one of block i."""
    tap: Literal["pre_pool", "post_pool"] = "pre_pool"
    """Take the features before or after the pool that follows the layer."""
    channels: int | None = None
    """Channels of every layer; by default the architecture's own."""
    kernel: int | None = None
    """Side of every filter; by default the architecture's own."""
    padding: Literal["reflect", "zero"] = "reflect"
    """How borders are padded before each convolution."""
    pooling: PoolKind = "max"
    """Kind of pooling."""
    upsampling: UpsampleKind = "zero"
    """How the DCN undoes a pool: zero insertion, or repetition of the value."""
    encoder_activation: Activation = "relu"
    """Nonlinearity of the CNN; leaky_relu has slope 0.2."""
    decoder_activation: Activation = "relu"
    """Nonlinearity of the DCN; leaky_relu has slope 0.2."""
    law: Literal["gaussian", "uniform", "logistic", "laplace", "he", "orthogonal"] = "gaussian"
    """Law of the random weights."""
    std: float = 0.01
    """Their true standard deviation; he and orthogonal set their own."""

    def check(self) -> None:
        self.require("a name such as conv1_2", lambda v: isinstance(v, str), "layer")
        ARCHITECTURES[self.architecture].up_to(self.layer)
        for name, most in ("channels", 4096), ("kernel", 99):
            if getattr(self, name) is not None:
                self.require_whole(1, most, name)
        self.require_number(1e-4, 100, "std")


def _painters_network() -> NetworkConfig:
    return NetworkConfig(channels=16, kernel=3, decoder_activation="leaky_relu")


@dataclass(frozen=True)
class PainterConfig(Checked):
    """The networks of a painter."""

    network: NetworkConfig = field(default_factory=_painters_network)
    """The random CNN, up to Conv1_1 or Conv1_2, and the DCN that mirrors it."""
    width: int = 32
    """Channels of the learnt network."""
    blocks: int = 3
    """Its residual blocks."""
    tiles: int = 6
    """Pictures of strokes that it chooses from, each of the painting's size."""

    def check(self) -> None:
        def is_full_size(network: NetworkConfig) -> bool:
            return network.layer in ("conv1_1", "conv1_2") and network.tap == "pre_pool"

        self.require("up to conv1_1 or conv1_2, before the pool", is_full_size, "network")
        self.require_whole(4, 512, "width")
        self.require_whole(1, 32, "blocks", "tiles")


@dataclass(frozen=True)
class OptimiseConfig(Checked):
    """The FVT by optimisation of the feature tensor."""

    loss: Literal["mean_covariance", "mean_std", "gram"] = "mean_covariance"
    """Statistics of the style that the features are driven to."""
    optimiser: Literal["adam", "lbfgs"] = "adam"
    """Adam, or scipy's L-BFGS."""
    content: Literal["transported", "own"] = "transported"
    """What is kept of the photograph: the layout of its features, moved to the style's Gaussian, or
    its features V_c as they are, as in the paper."""
    start: Literal["content", "random"] = "content"
    """Start from that content, or from Gaussian noise of its mean and covariance."""
    scaling: Literal["relative", "absolute"] = "relative"
    """Losses: relative to their targets and averaged over layers, or sums of squares, as in the
    paper."""
    content_layers: tuple[str, ...] = ()
    """Layers of network vgg that carry content; by default the first one above the CNN."""
    style_layers: tuple[str, ...] = ()
    """Layers of network vgg that carry style; by default the first of every block above the CNN, of
    Conv2 to Conv5."""
    pooling: Literal["average", "max"] = "average"
    """Pools of network vgg."""
    steps: tuple[int, ...] = (100, 60, 40)
    """Steps at each scale, coarse to fine; the last is full size, each before it half the next."""
    learning_rate: float = 0.05
    """Adam's first step size, in units of the features' root mean square; cosine decay."""
    content_weight: float = 1.0
    """Weight of the content loss (the paper's alpha); 0 for the style alone."""
    style_weight: float = 100.0
    """Weight of the style loss (the paper's beta); 0 for the content alone."""

    def check(self) -> None:
        words, step = "one to six integers from 1 to 100000", partial(is_whole, low=1, high=100_000)
        self.require(words, lambda v: are(step, v, 1, 6), "steps")
        self.require_number(1e-9, 10, "learning_rate")
        self.require_number(0, 1e6, "content_weight", "style_weight")
        names = [c.name for c in VGG16.convolutions]
        words = f"different ones of {names[0]} to {names[-1]}"
        for name in ("content_layers", "style_layers"):
            self.require(words, lambda v: are(names.__contains__, v, 0, 13), name)
            self.require(words, lambda v: len({*v}) == len(v), name)


@dataclass(frozen=True)
class PaintConfig(Checked):
    """The FVT by patch matching, with guidance, coherence and occupancy."""

    size: int = 7
    """Side of a patch, in feature pixels."""
    coarsest: int = 32
    """Longer side of the coarsest scale in feature pixels: the smaller, the larger the shapes that
    the style takes over."""
    searched: int = 140
    """Longer side up to which all of the style is searched; finer scales inherit finds and correct
    them by coherence. The larger, the more of the photograph and the smaller the strokes."""
    matched: int = 384
    """Longer side up to which finds are corrected; beyond it the style's pixels just get finer."""
    rounds: tuple[int, ...] = (4, 3, 2, 2, 1)
    """Rounds of search and averaging at each scale, coarse to fine by factors of sqrt(2); the
    last repeats."""
    content_mix: tuple[float, float] = (0.3, 1.0)
    """Share of the photograph in a query where it is salient, at the coarsest scale and from 384
    feature pixels on."""
    calm: float = 0.25
    """What is left of that share where the photograph is calm: the less, the more the style's own
    strokes fill skies and walls."""
    variety: float = 1.4
    """Deviation of the random wash that tells calm places what to become, another one for each
    seed, in those of the style's features."""
    diversity: float = 0.5
    """How far networks differ in what of the style goes where: 0 for the optimal transport of the
    content, 1 for the Knothe-Rosenblatt rearrangement, which is each network's own."""
    keys: int = 6_000
    """Most style patches searched at a scale, drawn at random."""
    projection: int = 32
    """Dimensions that a patch is projected to, by a random matrix, before the search."""
    completeness: float = 0.01
    """Share of the mean patch energy added to each style patch's own best distance: the smaller,
    the more of the style gets used."""
    coherence: float = 1.3
    """How much more than one's own find a neighbour's may cost and is taken over all the same: the
    larger, the larger the pieces of the style that stay whole."""
    occupancy: float = 0.5
    """How fast the price of a style patch rises with its use."""
    detail: float = 1.0
    """Share of the photograph's fine detail, in the style's colours, given back at edges."""

    def check(self) -> None:
        odd = "an odd integer from 3 to 31"
        self.require(odd, lambda v: is_whole(v, 3, 31) and v % 2 == 1, "size")
        words, round_ = "one to twelve integers from 1 to 100", partial(is_whole, low=1, high=100)
        self.require(words, lambda v: are(round_, v, 1, 12), "rounds")
        self.require("two numbers from 0 to 1", lambda v: are(is_share, v, 2, 2), "content_mix")
        self.require_number(0, 1, "calm", "diversity", "detail")
        self.require_whole(1, 8192, "coarsest", "searched", "matched")
        self.require_whole(1, 1_000_000, "keys")
        self.require_whole(1, 1024, "projection")
        self.require_number(0, 10, "variety", "occupancy")
        self.require_number(1, 10, "coherence")
        self.require_number(1e-6, 1e6, "completeness")


# What a DCN without trained weights can end in.
DECODERS = ("ridge", "random")


def _style_network() -> NetworkConfig:
    # A leaky DCN keeps what a ReLU would lose: the readout comes 2 to 3 dB closer.
    # Filters of 5 x 5 see strokes rather than pixels; few channels: every seed sees others.
    return NetworkConfig(channels=16, kernel=5, decoder_activation="leaky_relu")


@dataclass(frozen=True)
class StyleConfig(Checked):
    """One style transfer, apart from its two images and its seed."""

    method: Literal["paint", "optimise", "transport", "knothe", "whitening", "adain"] = "paint"
    """How the style is taken over (the FVT): paint rebuilds the photograph from pieces of the
    style, optimise bends it step by step, the others recolour it at once."""
    network: Literal["pyramid", "vgg"] = "pyramid"
    """Network whose statistics `optimise` matches: a random pyramid, or the layers of VGG16 that
    come after the CNN's, Conv2 to Conv5 in the paper."""
    fvt_seed: int | None = None
    """Names what is random in the FVT, `optimise`'s network and start above all; by default the
    seed of the CNN and DCN."""
    decoder: str = "ridge"
    """Last layer of the DCN: ridge, solved in closed form on the two images, or random as in the
    paper; or the name of trained networks that are given, which take the place of CNN and DCN."""
    wildness: float = 0.0
    """Share of the random last layer mixed into the ridge one, 0 to 1."""
    strength: float = 1.0
    """0 returns the content, 1 the full style."""
    side: int = 512
    """Longer side of the result in pixels; the style is brought to the same longer side."""
    composed_at: int | None = None
    """Longer side at which `paint` composes the picture, `side` by default: a picture of that size
    is made larger, with the same pieces of the style in the same places."""
    style_scale: float = 1.0
    """Size of the style's strokes and shapes, 0.25 to 4: its longer side as a multiple of that."""
    style_rotate: bool = False
    """Let `paint` turn the style's strokes by quarter turns too; three times more to search."""
    tile: bool = False
    """Let the borders of a painted picture wrap around: copies of it fit side by side, for textures
    and wallpapers. The photograph is faded into itself at its borders."""
    keep_colours: bool = False
    """Keep the photograph's colours: only light and dark are the style's."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the FVT's convolutions; auto takes bfloat16 where the processor gains by it."""
    weights: str = "random"
    """Weights of the CNN, and of the FVT network where that is VGG16's: random, from the seed;
    imagenet, VGG16's from keras.applications; or a file of trained weights, VGG16's in the layout
    of keras.applications or one that `rrstyle classify` wrote. Only the word imagenet may download
    something, if the weights are not in the cache of keras.applications."""
    weights_for: Literal["both", "cnn", "fvt"] = "both"
    """Which takes trained weights: the CNN, the FVT network or both; the other is random."""
    encoder: NetworkConfig = field(default_factory=_style_network)
    optimise: OptimiseConfig = field(default_factory=OptimiseConfig)
    paint: PaintConfig = field(default_factory=PaintConfig)

    def check(self) -> None:
        self.require_number(0, 1, "wildness", "strength")
        self.require_whole(16, 8192, "side")
        self.require_number(0.25, 4, "style_scale")
        words = "None or an integer from 0 to 2^128"
        self.require(words, lambda v: v is None or is_seed(v), "fvt_seed")
        self.require("True or False", partial(is_a, bool), "keep_colours", "style_rotate", "tile")
        if self.method != "paint":
            words = f"False where method is {self.method}"
            self.require(words, lambda v: not v, "style_rotate", "tile")
            self.require(f"None where method is {self.method}", lambda v: v is None, "composed_at")
        words = f"None or an integer from 16 to the side, {self.side}"
        self.require(words, lambda v: v is None or is_whole(v, 16, self.side), "composed_at")
        self.require("random, imagenet or a file name", partial(is_a, str), "weights")
        words = "ridge, random or the name of trained networks"
        self.require(words, partial(is_a, str), "decoder")
        words = f"0 where decoder is {self.decoder}: it mixes into the ridge"
        self.require(words, lambda v: v == 0 or self.decoder == "ridge", "wildness")
        fits = self.weights == "random" or self.decoder in DECODERS
        self.require("left out with trained networks", lambda v: fits, "weights")


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain JSON values, nested."""
    return asdict(config)


def from_dict(kind: type, values: Any) -> Any:
    """The config of class `kind` from plain JSON values; missing fields keep their defaults.

    Raises:
        ValueError: If a field is unknown or its value breaks a rule.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{kind.__name__} must be an object; received {type(values).__name__}")
    hints = get_type_hints(kind)
    if unknown := values.keys() - hints:
        raise ValueError(f"{kind.__name__} has no field {min(map(str, unknown))!r}")

    def parsed(name: str, value: Any) -> Any:
        if is_dataclass(hints[name]):
            if not isinstance(value, dict):
                raise ValueError(f"{name} must be an object; received {type(value).__name__}")
            return from_dict(hints[name], value)
        return tuple(value) if isinstance(value, list) else value

    return kind(**{name: parsed(name, value) for name, value in values.items()})
