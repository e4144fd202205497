"""The options of `rrstyle app`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from apps.service.limits import Limits, ServerConfig


class LimitOptions(Limits):
    __doc__ = Limits.__doc__

    def __post_init__(self) -> None:
        """Checks nothing: a broken rule ends as one line, and not inside tyro."""


@dataclass(frozen=True, kw_only=True)
class App:
    """Open the app in a browser's reach.

    Ctrl-C or SIGTERM ends it: no new jobs are taken, those that wait are told so, and what runs
    has 20 seconds to end.
    """

    host: str = ServerConfig.host
    """Address to listen at; 0.0.0.0 lets other machines in."""
    port: int = ServerConfig.port
    """Port to listen at."""
    auth: Annotated[str | None, arg(metavar="USER:FILE", help_behavior_hint="(default: open)")] = (
        None
    )
    """Let in only who knows this user and the password in FILE, its one line."""
    root_path: Annotated[str, arg(metavar="PATH", help_behavior_hint="(default: none)")] = (
        ServerConfig.root_path
    )
    """Path at which a proxy in front shows the app, such as /rrstyle."""
    runs: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: none)")] = None
    """Run of `rrstyle train`, or folder of such, that people may reconstruct by."""
    results: Annotated[
        Path | None, arg(metavar="DIR", help_behavior_hint="(default: those of this package)")
    ] = None
    """Results of `rrstyle evaluate` to show."""
    limits: Annotated[LimitOptions, arg(name="")] = field(default_factory=LimitOptions)
