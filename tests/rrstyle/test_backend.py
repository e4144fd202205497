"""What keras.ops lacks, and NumPy or it, on TensorFlow; test_parity compares JAX with it."""

import keras
import numpy as np
import pytest
from keras import ops

from rrstyle import backend, namespace


def test_value_and_gradient_by_hand():
    function = backend.value_and_grad(lambda x, a: ops.sum(a * x**2))
    value, gradient = function(ops.convert_to_tensor([1.0, 2.0, -3.0]), 2.0)
    assert float(value) == 28
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), [4, 8, -12])


def test_the_gradient_is_by_the_first_argument_only():
    function = backend.value_and_grad(lambda x, y: ops.sum(x * y))
    x, y = (ops.convert_to_tensor(v) for v in ([1.0, 2.0], [5.0, 7.0]))
    _, gradient = function(x, y)
    np.testing.assert_array_equal(ops.convert_to_numpy(gradient), [5, 7])


def test_the_gradient_agrees_with_differences():
    rng = np.random.default_rng(0)
    kernel = ops.convert_to_tensor(rng.normal(size=(3, 3, 2, 4)).astype(np.float32))
    x = rng.normal(size=(1, 5, 6, 2)).astype(np.float32)
    direction = rng.normal(size=x.shape).astype(np.float32)

    def loss(v):
        return ops.mean(ops.square(ops.relu(ops.conv(v, kernel, padding="same"))))

    _, gradient = backend.value_and_grad(loss)(ops.convert_to_tensor(x))
    ahead, behind = (float(loss(ops.convert_to_tensor(x + s * direction))) for s in (1e-2, -1e-2))
    slope = float(np.vdot(ops.convert_to_numpy(gradient), direction))
    # Between kinks the loss is quadratic: central differences err by rounding and few kinks.
    assert slope == pytest.approx((ahead - behind) / 2e-2, rel=1e-2)


def convolved(weights, maps):
    first, second = maps
    return ops.tanh(ops.conv(first, weights[0], padding="same") + weights[1]) + second


def drawn(*shape, seed=0):
    rng = np.random.default_rng([seed, *shape])
    return ops.convert_to_tensor(rng.normal(size=shape).astype(np.float32))


def test_a_compiled_function_is_the_function_at_every_size():
    weights = drawn(3, 3, 2, 4), drawn(4)
    compiled = backend.jit(convolved, maps=(1,))
    for height, width in ((5, 6), (1, 9), (12, 3), (5, 6)):
        maps = [drawn(1, height, width, 2), drawn(1, height, width, 4)]
        found = ops.convert_to_numpy(compiled(weights, maps))
        expected = ops.convert_to_numpy(convolved(weights, maps))
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_compiled_function_is_traced_once_whatever_sizes_and_weights_follow():
    traced = []

    def function(factor, x):
        traced.append(tuple(x.shape))
        return factor * x

    compiled = backend.jit(function, maps=(1,))
    for factor, size in ((1.0, (2, 3)), (2.0, (7, 7)), (3.0, (2, 3))):
        x = ops.ones((1, *size, 5))
        found = ops.convert_to_numpy(compiled(ops.convert_to_tensor(factor), x))
        np.testing.assert_array_equal(found, np.full((1, *size, 5), factor))
    # Heights and widths are free from the first trace on, so that there is no second.
    assert traced == [(1, None, None, 5)]


def test_results_do_not_depend_on_the_sizes_that_went_before():
    weights = drawn(3, 3, 2, 4), drawn(4)
    maps = [drawn(1, 13, 11, 2), drawn(1, 13, 11, 4)]
    fresh = ops.convert_to_numpy(backend.jit(convolved, maps=(1,))(weights, maps))
    used = backend.jit(convolved, maps=(1,))
    for height, width in ((40, 40), (3, 17), (13, 12)):
        used(weights, [drawn(1, height, width, 2), drawn(1, height, width, 4)])
    np.testing.assert_array_equal(ops.convert_to_numpy(used(weights, maps)), fresh)


@pytest.fixture
def fresh_answer():
    backend.gains_from_bfloat16.cache_clear()
    yield
    backend.gains_from_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("flags", "gains"),
    [
        (set(), False),
        ({"avx2", "avx512f", "avx512_vnni", "amx_tile", "amx_int8"}, False),
        ({"avx2", "avx512_bf16"}, True),
        ({"amx_bf16", "amx_tile"}, True),
    ],
)
def test_bfloat16_pays_where_the_processor_has_instructions_for_it(
    flags, gains, monkeypatch, fresh_answer
):
    monkeypatch.setattr(backend, "_cpu_flags", lambda: flags)
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: [])
    assert backend.gains_from_bfloat16() is gains
    assert backend.resolve_precision("auto") == ("bfloat16" if gains else "float32")


@pytest.mark.parametrize(("capability", "gains"), [((7, 5), False), ((8, 0), True), (None, False)])
def test_bfloat16_pays_on_gpus_from_ampere_on(capability, gains, monkeypatch, fresh_answer):
    details = {"compute_capability": capability} if capability else {}
    monkeypatch.setattr(backend, "_cpu_flags", lambda: {"amx_bf16"})
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: ["gpu"])
    monkeypatch.setattr("tensorflow.config.experimental.get_device_details", lambda gpu: details)
    assert backend.gains_from_bfloat16() is gains


def test_a_chosen_precision_is_kept(monkeypatch):
    for gains in (False, True):
        monkeypatch.setattr(backend, "gains_from_bfloat16", lambda gains=gains: gains)
        for precision in ("float32", "bfloat16"):
            assert backend.resolve_precision(precision) == precision


def test_flags_are_read_from_the_first_processor(monkeypatch):
    text = "processor : 0\nflags\t\t: fpu avx2 amx_bf16\nbugs : none\nflags\t\t: other\n"
    monkeypatch.setattr("pathlib.Path.read_text", lambda self: text)
    assert {"fpu", "avx2", "amx_bf16"} <= backend._cpu_flags()
    assert "other" not in backend._cpu_flags()


def test_no_flags_where_there_is_no_cpuinfo(monkeypatch):
    def missing(self):
        raise FileNotFoundError

    monkeypatch.setattr("pathlib.Path.read_text", missing)
    assert backend._cpu_flags() == set()


def test_versions_name_what_computes_a_picture():
    found = backend.versions()
    assert found["backend"] == "tensorflow"
    assert found["keras"] == keras.__version__
    assert found["numpy"] == np.__version__
    assert set(found) == {"rrstyle", "backend", "tensorflow", "keras", "numpy", "python", "onednn"}
    assert all(isinstance(v, str) and v for v in found.values())


def test_arrays_have_numpy_and_tensors_the_operations_in_use():
    array, tensor = np.zeros(2), keras.ops.zeros(2)
    assert namespace.array_namespace(array) is namespace.array_namespace(3) is np
    assert namespace.array_namespace(tensor) is keras.ops
    usual = namespace.tensor_operations.set("others")
    try:
        assert namespace.array_namespace(tensor) == "others"
        assert namespace.array_namespace(array) is np
    finally:
        namespace.tensor_operations.reset(usual)
