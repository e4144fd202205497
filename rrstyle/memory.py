"""Main memory that a picture takes, and that there is."""

import math

from rrstyle.config import StyleConfig
from rrstyle.cores import told_by_system
from rrstyle.networks.plan import Conv, kernel_shapes, plan_of

GIB = 2**30
_MEGAPIXEL = 2**20
# GiB of the process with its libraries, before any picture; then, by method, GiB that making one
# takes whatever its size, and GiB a megapixel (1024 x 1024). The README's table of speed and
# memory, rounded up.
_LIBRARIES = 0.9
_WORKING = {"paint": (0.6, 0.15), "optimise": (0.0, 4.0)}
_WORKING_CLOSED_FORM = (0.0, 1.2)
# Those are of networks of 16 channels. GiB a megapixel of each map more, and of each feature that
# is optimised; bytes of a weight, of a pair of unknowns of the readout, of a dimension of a patch
# and of a patch that is searched. Measured at 16, 64 and 256 channels, rounded up.
_CHANNELS = 16
_MAP, _OPTIMISED = 0.03, 0.35
_WEIGHT, _UNKNOWNS, _DIMENSION, _KEY = 12, 16, 24, 2048
_FITTED = 512  # pixels a side: `paint` runs its networks on no larger pictures at once


def memory_terms(config: StyleConfig) -> dict[str, float]:
    """GiB for a square picture beyond those of the libraries, by the settings that they grow with.

    Raises:
        ValueError: If the settings describe no network.
    """
    fixed, growing = _WORKING.get(config.method, _WORKING_CLOSED_FORM)
    area = config.side**2 * (1 + config.style_scale**2) / 2 / _MEGAPIXEL
    encoded = min(area, _FITTED**2 / _MEGAPIXEL) if config.method == "paint" else area
    plan = plan_of(config.encoder)
    maps, stride = 0.0, 1  # most values that a layer has for a pixel of the picture
    for layer in plan.encoder:
        stride *= layer.stride
        if isinstance(layer, Conv):
            maps = max(maps, layer.channels / stride**2)
    shapes = kernel_shapes((*plan.layers, plan.head), 3)
    bytes_of_networks = _WEIGHT * sum(map(math.prod, shapes))
    if config.decoder == "ridge":
        bytes_of_networks += _UNKNOWNS * math.prod(shapes[-1][:3]) ** 2
    networks = bytes_of_networks / GIB + _MAP * max(0, maps - _CHANNELS) * encoded
    if config.method == "optimise":
        features = plan.features / plan.reduction**2
        networks += _OPTIMISED * max(0, features - _CHANNELS) * area
    sides = "side" if config.style_scale == 1 else "side and style_scale"
    terms = {sides: fixed + growing * area, "channels and kernel": networks}
    if config.method == "paint":
        paint, patches = config.paint, min(config.paint.matched, config.side / plan.reduction) ** 2
        terms["projection and matched"] = _DIMENSION * paint.projection * patches / GIB
        terms["keys and matched"] = _KEY * min(paint.keys, patches) / GIB
    return terms


def memory_estimate(config: StyleConfig) -> float:
    """GiB that a process takes at most while it makes a square picture by `config`."""
    return _LIBRARIES + sum(memory_terms(config).values())


def available_memory() -> float | None:
    """GiB that the system can give without swapping; None where it does not tell."""
    found = told_by_system("meminfo", "MemAvailable").removesuffix(" kB")
    return int(found) * 1024 / GIB if found else None


def check_memory(config: StyleConfig) -> None:
    """Raises ValueError for a picture whose estimate is above the memory there is."""
    needed, available = memory_estimate(config), available_memory()
    if available is not None and needed > available:
        terms = memory_terms(config)
        settings = max(terms, key=lambda name: terms[name])
        parts = config, config.encoder, config.paint
        named = [next(vars(p)[n] for p in parts if n in vars(p)) for n in settings.split(" and ")]
        raise ValueError(
            f"{settings} must be smaller: the picture needs {needed:.1f} GiB of memory,"
            f" {available:.1f} are free; received {' and '.join(map(str, named))}"
        )
