"""The experiments, each in a file of its own; `EXPERIMENTS` names them all.

What is imported here is light: the command's help names them too.
"""

import difflib
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recon.experiments.experiment import Experiment

_FOLDERS = {
    "random": ("channels", "kernel-size", "depth", "factorial", "laws", "readout"),
    "": ("theory",),
    "invertibility": ("rip-1d", "rip-2d", "coherence", "sparsity", "iht", "cifar-random"),
    "trained": (
        "convergence",
        "init-std",
        "init-law",
        "generalisation",
        "pictures",
        "readout-training",
    ),
}
_MODULES = {
    name: ".".join(filter(None, ("recon.experiments", folder, name.replace("-", "_"))))
    for folder, names in _FOLDERS.items()
    for name in names
}
EXPERIMENTS = tuple(_MODULES)


def find_experiment(name: str) -> "Experiment":
    """The experiment of a name; its module is imported now.

    Args:
        name: One of `EXPERIMENTS`, or "package.module:NAME" for one that is defined elsewhere.

    Raises:
        ValueError: If there is none.
    """
    if name in EXPERIMENTS:
        return import_module(_MODULES[name]).EXPERIMENT
    module, _, attribute = name.partition(":")
    if module and attribute:
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ValueError(f"experiment {name!r} cannot be imported; received {error}") from error
    near = difflib.get_close_matches(name, EXPERIMENTS, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"experiment must be one of {', '.join(EXPERIMENTS)}; {hint}received {name!r}")
