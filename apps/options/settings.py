"""Settings as options: the configs' fields, defaults and help texts, without their checks.

The classes here extend the configs and leave out their checks, so that a broken rule ends as one
line and not inside tyro.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from tyro.conf import Fixed, Suppress, arg

from recon.training.config import ClassifierConfig, TrainingConfig
from rrstyle.config import (
    NetworkConfig,
    OptimiseConfig,
    PatchConfig,
    StyleConfig,
    from_dict,
    to_dict,
)

Config = TypeVar("Config", NetworkConfig, StyleConfig, TrainingConfig, ClassifierConfig)


class _Unchecked:
    def __post_init__(self) -> None:
        """Checks nothing; `checked` does."""


class NetworkOptions(_Unchecked, NetworkConfig):
    __doc__ = NetworkConfig.__doc__


class OptimiseOptions(_Unchecked, OptimiseConfig):
    __doc__ = OptimiseConfig.__doc__


class PatchOptions(_Unchecked, PatchConfig):
    __doc__ = PatchConfig.__doc__


@dataclass(frozen=True)
class StyleOptions(_Unchecked, StyleConfig):
    """`StyleConfig` with the fields of its encoder beside its own."""

    encoder: Annotated[NetworkOptions, arg(name="")] = field(
        default_factory=lambda: unchecked(NetworkOptions, StyleConfig().encoder)
    )
    weights: Annotated[str, arg(name="encoder", metavar="random|imagenet|FILE")] = (
        StyleConfig.weights
    )
    decoder: Annotated[str, arg(metavar="ridge|random|RUN")] = StyleConfig.decoder
    """Last layer of the DCN: ridge, solved in closed form on the two images, or random as in the
    paper; or the folder of a run of `rrstyle train`, whose CNN and DCN, of its best checkpoint,
    take the place of both. The options of the networks are its own then, and --seed names what
    else is random: nothing of transport, knothe, whitening and adain."""
    optimise: OptimiseOptions = field(default_factory=OptimiseOptions)
    patches: PatchOptions = field(default_factory=PatchOptions)


@dataclass(frozen=True)
class TrainedNetworkOptions(_Unchecked, NetworkConfig):
    """The networks of a training: features are taken before the pool, as in the papers."""

    layer: Annotated[str, arg(aliases=("--tap",))] = TrainingConfig().network.layer
    """Last convolution of the CNN: conv<i>_<j>, or conv<i> for the last one of block i."""
    tap: Suppress[Fixed[Literal["pre_pool"]]] = "pre_pool"  # the name goes to the layer
    std: float = TrainingConfig().network.std
    """True standard deviation of random weights; he and orthogonal set their own."""


@dataclass(frozen=True)
class TrainingOptions(_Unchecked, TrainingConfig):
    """`TrainingConfig` with the fields of its networks beside its own."""

    network: Annotated[TrainedNetworkOptions, arg(name="")] = field(
        default_factory=lambda: unchecked(TrainedNetworkOptions, TrainingConfig().network)
    )
    weights: Annotated[str, arg(name="encoder", metavar="random|imagenet|FILE")] = (
        TrainingConfig.weights
    )
    """Weights of the CNN: random, from the seed; imagenet, VGG16's from keras.applications; or a
    file of trained weights, VGG16's in the layout of keras.applications or one that `rrstyle
    classify` wrote. Trained weights bring their architecture, activation and padding with them.
    Only the word imagenet may download something, if the weights are not in the cache of
    keras.applications."""
    learning_rate: Annotated[float, arg(aliases=("--lr",))] = TrainingConfig.learning_rate
    """Adam's step size before the first milestone."""


@dataclass(frozen=True)
class ClassifiedNetworkOptions(_Unchecked, NetworkConfig):
    """A whole CNN: what concerns parts of it, or a DCN, cannot be set."""

    layer: Suppress[Fixed[str]] = "conv5"
    tap: Suppress[Fixed[Literal["pre_pool"]]] = "pre_pool"
    upsampling: Suppress[Fixed[Literal["zero"]]] = "zero"
    decoder_activation: Suppress[Fixed[Literal["relu"]]] = "relu"
    law: Suppress[Fixed[Literal["he"]]] = "he"
    std: Suppress[Fixed[float]] = NetworkConfig.std


@dataclass(frozen=True)
class ClassifierOptions(_Unchecked, ClassifierConfig):
    """`ClassifierConfig` with the fields of its network beside its own."""

    network: Annotated[ClassifiedNetworkOptions, arg(name="")] = field(
        default_factory=lambda: unchecked(ClassifiedNetworkOptions, ClassifierConfig().network)
    )
    learning_rate: Annotated[float, arg(aliases=("--lr",))] = ClassifierConfig.learning_rate
    """Adam's step size before the first milestone."""


def checked(kind: type[Config], options: Config) -> Config:
    """The config of class `kind` that options stand for.

    Raises:
        ValueError: If a value breaks a rule.
    """
    return from_dict(kind, to_dict(options))


def unchecked(kind: type, config: Any) -> Any:
    """Options of class `kind` with the values of a config."""
    return from_dict(kind, to_dict(config))


def refuse_beside_run(given: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Refuses settings beside a training run as decoder, which has its own.

    Raises:
        ValueError: If one is not the default.
    """
    for name, value in given.items():
        if isinstance(value, dict):
            refuse_beside_run(value, defaults[name])
        elif value != defaults[name]:
            raise ValueError(f"{name} must be left out with a run as decoder, which has its own")
