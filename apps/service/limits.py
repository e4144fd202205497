"""Settings of the server: its address, its limits and the folders it shows."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from rrstyle.config import StyleConfig, is_whole
from rrstyle.memory import GIB, memory_estimate

# Bytes a pixel of a finished picture until its client has it: float32 and the PNG.
_KEPT = 3 * 4 + 3
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


@dataclass(frozen=True)
class Limits:
    """Limits on one request, and on all of them together."""

    max_side: int = 4096
    """Most pixels of the longer side of a result."""
    max_variants: int = 12
    """Most pictures of one request."""
    max_memory: float = 6.0
    """GiB that the server may take for one job, estimated from size, method and variants."""
    queue: int = 16
    """Jobs that may wait; one more is refused."""
    max_jobs: int = 1
    """Jobs that compute at the same time: one an accelerator."""
    keep_hours: float = 12.0
    """Hours after which what was uploaded or made is removed."""

    @property
    def handlers(self) -> int:
        """Requests for jobs handled at a time: running, waiting, and one to be refused."""
        return self.max_jobs + self.queue + 1

    @property
    def events(self) -> int:
        """Requests of any kind handled at a time."""
        return self.handlers + 40

    def __post_init__(self) -> None:
        bounds = {
            "max-side": (32, 8192),
            "max-variants": (1, 100),
            "queue": (0, 1000),
            "max-jobs": (1, 16),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name.replace("-", "_"))
            if not is_whole(value, low, high):
                raise ValueError(
                    f"{name} must be an integer from {low} to {high}; received {value!r}"
                )
        if not 1 <= self.max_memory <= 4096:
            raise ValueError(f"max-memory must be from 1 to 4096 GiB; received {self.max_memory!r}")
        if not 0 < self.keep_hours <= 24 * 366:
            raise ValueError(
                f"keep-hours must be above 0 and at most a year; received {self.keep_hours!r}"
            )


@dataclass(frozen=True)
class Folders:
    """Folders that the app shows; no client names one."""

    runs: Path | None = None
    """Runs of `rrstyle train`, one a subfolder, to reconstruct with."""
    results: Path | None = None
    """Results of `rrstyle evaluate`."""

    def __post_init__(self) -> None:
        for name in ("runs", "results"):
            folder = getattr(self, name)
            if folder is not None and not folder.is_dir():
                raise NotADirectoryError(f"{name} must be a folder; received {str(folder)!r}")


@dataclass(frozen=True)
class ServerConfig:
    """Address, login, limits and folders of the server."""

    host: str = "127.0.0.1"
    """Address to listen at; 0.0.0.0 lets other machines in."""
    port: int = 7860
    """Port to listen at."""
    allow_host: tuple[str, ...] = ()
    """Host names of the app besides localhost: requests for others, and from pages of other sites,
    are refused. Needed behind a proxy. With another --host and no name here any host is served."""
    root_path: str = ""
    """Path under which a proxy in front serves the app, such as /rrstyle."""
    auth: tuple[str, str] | None = field(default=None, repr=False)
    """User and password that everything but the health endpoint asks for."""
    limits: Limits = field(default_factory=Limits)
    folders: Folders = field(default_factory=Folders)

    def __post_init__(self) -> None:
        for name in self.allow_host:
            if not re.fullmatch(r"[\w.-]+|\[[\da-fA-F:.]+\]", name):
                raise ValueError(
                    "allow-host must be names such as example.org, without scheme and port;"
                    f" received {name!r}"
                )
        if not re.fullmatch(r"(/[\w.~-]+)*", self.root_path):
            raise ValueError(
                f"root-path must be a path such as /rrstyle; received {self.root_path!r}"
            )

    @property
    def hosts(self) -> frozenset[str] | None:
        """Hosts that the app answers to, in lower case; None for any."""
        named = {name.lower() for name in self.allow_host}
        if not (named or self.host in LOOPBACK):
            return None
        return frozenset(named | LOOPBACK)


def job_memory(config: StyleConfig, n: int) -> float:
    """Estimate in GiB of what the server takes for `n` square pictures by `config`.

    Pictures are made one after another: working memory grows with the size only, and what is kept
    of the finished ones with size x variants.
    """
    return memory_estimate(config) + n * config.side**2 * _KEPT / GIB


def check_job_memory(config: StyleConfig, n: int, limits: Limits) -> None:
    """Raises ValueError for a job whose `job_memory` is above `limits.max_memory`."""
    needed = job_memory(config, n)
    if needed > limits.max_memory:
        raise ValueError(
            f"size and variants must fit {limits.max_memory:g} GiB of memory, which grows with"
            f" size x size by the method and with size x size x variants; received size"
            f" {config.side}, variants {n} by {config.method}, which take {needed:.1f} GiB"
        )
