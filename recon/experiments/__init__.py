"""The experiments, each figure or table in a file of its own; `EXPERIMENTS` names them all.

What is imported here is light: the command's help names them too.
"""

import difflib
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recon.experiments.experiment import Experiment

# Modules of `recon.experiments`, and names in them where these are not EXPERIMENT.
_PLACES = {
    "channels": "random.channels",
    "kernel-size": "random.kernel_size",
    "depth": "random.depth",
    "factorial": "random.factorial",
    "laws": "random.laws",
    "readout": "random.readout",
    "theory": "theory",
    "rip-1d": "invertibility.rip_1d",
    "rip-scaling": "invertibility.rip_scaling",
    "rip-2d": "invertibility.rip_2d",
    "injectivity": "invertibility.injectivity",
    "coherence": "invertibility.coherence",
    "sparsity": "invertibility.sparsity",
    "iht": "invertibility.iht",
    "cifar-random": "invertibility.cifar_random",
    "convergence": "trained.courses:CONVERGENCE",
    "init-std": "trained.courses:INIT_STD",
    "init-law": "trained.courses:INIT_LAW",
    "generalisation": "trained.generalisation",
    "pictures": "trained.pictures",
    "readout-training": "trained.readout_training",
    "style-ratio": "style.ratio",
    "style-models": "style.models",
    "style-layers": "style.layers",
    "style-speed": "style.speed",
}
EXPERIMENTS = tuple(_PLACES)


def find_experiment(name: str) -> "Experiment":
    """The experiment of a name; its module is imported now. ValueError if there is none.

    The name is one of `EXPERIMENTS`, or "package.module:NAME" for one that is defined elsewhere.
    """
    if name in _PLACES:
        module, _, attribute = _PLACES[name].partition(":")
        return getattr(import_module(f"recon.experiments.{module}"), attribute or "EXPERIMENT")
    module, _, attribute = name.partition(":")
    if module and attribute:
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ValueError(f"experiment {name!r} cannot be imported; received {error}") from error
    near = difflib.get_close_matches(name, EXPERIMENTS, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"experiment must be one of {', '.join(EXPERIMENTS)}; {hint}received {name!r}")
