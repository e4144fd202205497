"""What the experiments are and what committed runs of them took, without importing them.

`catalogue.json` is written by `docs/make_results.py` from the experiments and from their records.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any

from recon.experiments import find_experiment


@dataclass(frozen=True)
class Described:
    """An experiment in words."""

    title: str  # one line: what is measured
    reproduces: str  # figures, tables or theorems of the papers
    printed: str  # claim or printed figures of the papers, in a sentence
    claims: tuple[str, ...] = ()  # that its rows decide
    minutes: Mapping[str, float] = field(default_factory=dict)  # of all processes, by scale
    devices: Mapping[str, str] = field(default_factory=dict)  # that it ran on, by scale
    paper: Mapping[str, Any] = field(default_factory=dict)  # settings of the papers' scale


def describe(name: str) -> Described:
    """An experiment of the catalogue; another one is imported, and its costs are not known."""
    if (entry := _read().get(name)) is not None:
        return Described(**entry | {"claims": tuple(entry["claims"])})
    found = find_experiment(name)
    return Described(found.title, found.reproduces, found.printed)


def written(described: Mapping[str, Described]) -> str:
    """The text of `catalogue.json`."""
    entries = {name: asdict(one) for name, one in described.items()}
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def _read() -> dict[str, Any]:
    return json.loads(files("recon.experiments").joinpath("catalogue.json").read_text("utf-8"))
