"""Runs `tests.support.parity` on the JAX backend, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]


@contextmanager
def running_on_jax(arrays: dict[str, np.ndarray], folder: Path) -> Iterator[Callable]:
    """Starts the process; the value is a function that waits for its results.

    A backend is chosen when Keras is imported: hence the process. Arrays travel as .npz files.
    """
    given, found = folder / "given.npz", folder / "found.npz"
    np.savez(given, **arrays)
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-W", "error", "-m", "tests.support.parity", str(given), str(found)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:

        def results() -> dict[str, np.ndarray]:
            output, _ = process.communicate()
            assert process.returncode == 0, f"the JAX process failed:\n{output}"
            with np.load(found) as file:
                return dict(file)

        try:
            yield results
        finally:
            process.kill()  # nothing, where it has ended
