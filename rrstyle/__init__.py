"""Style transfer and reconstruction with untrained convolutional networks.

    from rrstyle import StyleConfig, example, stylize
    picture = stylize(example("chelsea"), example("waves"), StyleConfig(side=256), seed=0)

Names are loaded when first used: importing the package does not import Keras.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rrstyle.config import NetworkConfig, OptimiseConfig, PaintConfig, StyleConfig
    from rrstyle.examples import example
    from rrstyle.networks.build import build_cnn, build_cnn_dcn, build_dcn
    from rrstyle.pictures.images import read_image
    from rrstyle.pipeline import Variant, stylize, variants
    from rrstyle.progress import Step

_HOMES = {
    "config": ("NetworkConfig", "OptimiseConfig", "PaintConfig", "StyleConfig"),
    "examples": ("example",),
    "pictures.images": ("read_image",),
    "networks.build": ("build_cnn", "build_cnn_dcn", "build_dcn"),
    "progress": ("Step",),
    "pipeline": ("Variant", "stylize", "variants"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "NetworkConfig",
    "OptimiseConfig",
    "PaintConfig",
    "Step",
    "StyleConfig",
    "Variant",
    "build_cnn",
    "build_cnn_dcn",
    "build_dcn",
    "example",
    "read_image",
    "stylize",
    "variants",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'rrstyle' has no attribute {name!r}")
    return getattr(importlib.import_module(f"rrstyle.{_HOME_OF[name]}"), name)
