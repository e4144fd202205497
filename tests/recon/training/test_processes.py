"""Trainings that are killed, on both backends, on two devices: in processes of their own."""

import csv
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recon.training.checkpoints import Checkpoints
from rrstyle.durable import REMOVED
from tests.recon.support.training import KILLS, state_arrays, train_tiny

ROOT = Path(__file__).parents[3]


def start(backend, *arguments, **variables):
    environment = {
        **os.environ,
        **variables,
        "KERAS_BACKEND": backend,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={1 if 'host' in arguments else 2}",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.recon.support.training", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def output_of(process):
    output, errors = process.communicate(timeout=900)
    assert process.returncode == 0, errors
    return output


def columns(out):
    """The log, but for the speed."""
    with (out / "log.csv").open() as file:
        return [row[:-1] for row in csv.reader(file)]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Of the killed runs, of `several_devices` on each backend, and of two hosts."""
    folder = tmp_path_factory.mktemp("processes")
    hosts = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{free_port()}",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
    }
    for name in ("tensorflow", "jax"):
        (folder / name).mkdir()
    started = {
        "kills": start("tensorflow", "kills", folder / "killed"),
        "tensorflow": start("tensorflow", "devices", folder / "tensorflow" / "found.npz"),
        "jax": start("jax", "devices", folder / "jax" / "found.npz"),
    }
    for number in ("0", "1"):
        started[f"host {number}"] = start(
            "jax", "host", folder / "hosts", KERAS_DISTRIBUTION_PROCESS_ID=number, **hosts
        )
    try:
        train_tiny(folder / "whole")  # while the others compute
        outputs = {name: output_of(process) for name, process in started.items()}
    finally:
        for process in started.values():
            process.kill()  # nothing, where it has ended
    found = {"kills": json.loads(outputs["kills"]), "folder": folder, "outputs": outputs}
    for name in ("tensorflow", "jax"):
        with np.load(folder / name / "found.npz") as file:
            found[name] = dict(file)
    return found


def named(found, kind):
    return {k.removeprefix(f"{kind} "): v for k, v in found.items() if k.startswith(f"{kind} ")}


def test_every_kill_hit(results):
    kills = results["kills"]
    assert [tuple(left["kill"]) for left in kills[:-1]] == list(KILLS)
    assert [left["signal"] for left in kills] == [9] * len(KILLS) + [None]
    assert kills[-1]["code"] == 0
    torn = [any(not name.endswith(REMOVED) for name in left["torn"]) for left in kills]
    assert sum(torn) >= 4  # some fell into the saving itself
    assert any(name.endswith(REMOVED) for name in kills[-2]["torn"])
    assert kills[-1]["torn"] == []


def test_a_run_killed_eleven_times_ends_with_the_same_bits(results):
    killed, whole = (state_arrays(results["folder"] / name) for name in ("killed", "whole"))
    assert set(killed) == set(whole)
    for name, array in killed.items():
        np.testing.assert_array_equal(array, whole[name], err_msg=name)
    assert columns(results["folder"] / "killed") == columns(results["folder"] / "whole")
    assert Checkpoints(results["folder"] / "killed" / "checkpoints").steps()[-2:] == [9, 12]


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_devices_compute_what_one_does(results, backend):
    found = results[backend]
    assert found["backend"] == backend
    one, two = named(found, "one"), named(found, "two")
    np.testing.assert_allclose(one["loss"], two["loss"], rtol=1e-5)
    weights = [name for name in one if name.startswith("weight")]
    assert len(weights) == 6
    for name in weights:
        np.testing.assert_allclose(one[name], two[name], atol=1e-6, rtol=1e-5, err_msg=name)


def assert_same_training(ours, theirs):
    """By the commands' logs and checkpoints, but for the order of sums."""
    ours_log, theirs_log = (np.array(columns(out)[1:], float) for out in (ours, theirs))
    assert len(ours_log) == 3
    np.testing.assert_allclose(ours_log, theirs_log, rtol=1e-5)
    ours_state, theirs_state = state_arrays(ours), state_arrays(theirs)
    for name in (name for name in ours_state if name.startswith("weight")):
        pair = ours_state[name], theirs_state[name]
        np.testing.assert_allclose(*pair, atol=1e-6, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_the_command_computes_on_two_devices_what_it_does_on_one(results, backend):
    folder = results["folder"] / backend
    assert_same_training(folder / "command 1", folder / "command 2")


@pytest.mark.jax
def test_two_hosts_compute_what_one_does(results):
    assert_same_training(results["folder"] / "jax" / "command 1", results["folder"] / "hosts")
    # One of them tells what came of it.
    assert "best checkpoint: step " in results["outputs"]["host 0"]
    assert "best checkpoint" not in results["outputs"]["host 1"]


@pytest.mark.jax
def test_a_stopped_run_goes_on_to_the_same_bits_on_jax(results):
    one, stopped = (named(results["jax"], kind) for kind in ("one", "stopped"))
    for name in (n for n in one if n not in ("loss", "step")):
        np.testing.assert_array_equal(one[name], stopped[name], err_msg=name)


@pytest.mark.jax
def test_both_backends_train_alike(results):
    here, there = (named(results[name], "one") for name in ("tensorflow", "jax"))
    np.testing.assert_array_equal(here["step"], there["step"])
    np.testing.assert_allclose(here["loss"], there["loss"], rtol=1e-4)
    assert here["loss"][0] > 1.05 * here["loss"][-1]
