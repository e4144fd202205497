"""What is told of a machine, and of a GPU that is not used."""

import importlib.util

import pytest

from rrstyle import backend, machine

GPU = "NVIDIA H200, 140 GiB, driver 580.65.06"


@pytest.fixture
def small(monkeypatch):
    """Products and convolutions that take no time."""
    for name, value in (("_SIDES", {"cpu": 3}), ("_BATCHES", {"cpu": 2})):
        monkeypatch.setattr(machine, name, value)
    for name in ("_MAP", "_CHANNELS"):
        monkeypatch.setattr(machine, name, 4)


@pytest.fixture
def unused(monkeypatch):
    """An NVIDIA GPU beside a backend that computes on the processor, and a driver's tool."""
    for name in ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(backend, "device", lambda: "cpu: one")
    monkeypatch.setattr(machine, "nvidia_gpus", lambda: [GPU])


def test_operations_by_hand(small):
    product, of_product = machine.matrix_product("float32")
    convolve, of_convolution = machine.convolution("float32")
    assert of_product == 2 * 3**3
    assert of_convolution == 2 * 2 * 4**2 * 3**2 * 4**2  # twice, images, pixels, kernel, channels
    assert product().shape == convolve().shape == ()
    assert machine.fastest(product, of_product) > 0


def test_the_fastest_call_after_the_first_counts(monkeypatch):
    times = iter((0.0, 5.0, 10.0, 12.0, 20.0, 24.0))  # 5, 2 and 4 seconds
    monkeypatch.setattr(machine.time, "perf_counter", lambda: next(times))
    calls = []
    assert machine.fastest(lambda: calls.append(None), 6 * 10**9) == 3
    assert len(calls) == 4


def test_what_is_told(small, monkeypatch):
    monkeypatch.setattr(machine, "nvidia_gpus", list)
    found = machine.describe()
    assert found["backend"] == "tensorflow"
    assert f"keras {backend.versions()['keras']}" in found["versions"]
    assert found["device"] == backend.device()
    assert found["GPUs"] == "no NVIDIA GPU"
    assert found["advice"] == ""
    for dtype in {"float32", backend.resolve_precision("auto")}:
        assert found[dtype].count("GFLOP/s") == 2


@pytest.mark.parametrize(
    ("said", "status", "expected"),
    [
        ("NVIDIA H200, 143771, 580.65.06", 0, [GPU]),
        ("NVIDIA A, 8192, 1\nNVIDIA B, [N/A], 1", 0, ["NVIDIA A, 8 GiB, driver 1"]),
        ("NVIDIA-SMI has failed: no driver", 9, []),
    ],
)
def test_gpus_by_the_drivers_tool(said, status, expected, tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho '{said}'\nexit {status}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert machine.nvidia_gpus() == expected
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert machine.nvidia_gpus() == []


@pytest.mark.parametrize("chosen", ["tensorflow", "jax"])
def test_a_gpu_that_is_not_used(unused, chosen, monkeypatch):
    monkeypatch.setattr(backend, "versions", lambda: {"backend": chosen})
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    extra = {"tensorflow": "tensorflow-cuda", "jax": "cuda"}[chosen]
    assert f"no CUDA for {chosen}: pip install 'rrstyle[{extra}]'" in machine.advice()
    monkeypatch.setattr(machine, "find_spec", importlib.util.find_spec)
    monkeypatch.setattr(machine, "_EXTRAS", {chosen: (extra, "no_such.package")})
    assert "pip install" in machine.advice()
    monkeypatch.setattr(machine, "_EXTRAS", {chosen: (extra, "numpy")})
    assert "CUDA does not load: its driver must be 525 or newer" in machine.advice()
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert ("JAX_PLATFORMS=cpu hides it" in machine.advice()) == (chosen == "jax")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.advice().endswith("hides it: unset CUDA_VISIBLE_DEVICES")
    assert "\n" not in machine.advice()


def test_no_advice_where_a_gpu_is_used_or_none_is_there(unused, monkeypatch):
    monkeypatch.setattr(backend, "device", lambda: "gpu: NVIDIA H200")
    assert machine.advice() == ""
    monkeypatch.setattr(backend, "device", lambda: "cpu: one")
    monkeypatch.setattr(machine, "nvidia_gpus", list)
    assert machine.advice() == ""
