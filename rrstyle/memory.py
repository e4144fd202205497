"""Main memory that a picture takes, and that there is."""

from rrstyle.config import StyleConfig
from rrstyle.cores import told_by_system

GIB = 2**30
_MEGAPIXEL = 2**20
# GiB of the process with its libraries, before any picture; then, by method, GiB that making one
# takes whatever its size, and GiB a megapixel (1024 x 1024). The README's table of speed and
# memory, rounded up.
_LIBRARIES = 0.9
_WORKING = {"paint": (0.6, 0.15), "optimise": (0.0, 4.0)}
_WORKING_CLOSED_FORM = (0.0, 1.2)


def memory_estimate(config: StyleConfig) -> float:
    """GiB that a process takes at most while it makes a square picture by `config`."""
    fixed, growing = _WORKING.get(config.method, _WORKING_CLOSED_FORM)
    return _LIBRARIES + fixed + growing * config.side**2 / _MEGAPIXEL


def available_memory() -> float | None:
    """GiB that the system can give without swapping; None where it does not tell."""
    found = told_by_system("meminfo", "MemAvailable").removesuffix(" kB")
    return int(found) * 1024 / GIB if found else None


def check_memory(config: StyleConfig) -> None:
    """Raises ValueError for a picture whose estimate is above the memory there is."""
    needed, available = memory_estimate(config), available_memory()
    if available is not None and needed > available:
        raise ValueError(
            f"side must fit the memory that is free, {available:.1f} GiB; received {config.side},"
            f" which takes about {needed:.1f} GiB by {config.method}"
        )
