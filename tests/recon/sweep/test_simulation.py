"""The simulation of plans against hand-computed arrays and against the library's networks."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from recon import metrics
from recon.plans import at_full_size, rr_vgg
from recon.sweep import simulation
from rrstyle.config import NetworkConfig
from rrstyle.networks.build import build_cnn_dcn
from rrstyle.networks.plan import Conv, Plan, Pool, Upsample, mirrored, plan_of

ROOT = Path(__file__).parents[3]


def pictures(count, height, width, seed=0):
    return np.random.default_rng(seed).random((count, height, width, 3), dtype=np.float32)


def test_zero_insertion_and_convolution_by_hand():
    # One grey pixel 3, upsampled to 2 x 2: [[3, 0], [0, 0]]; a filter that counts 1 to 9.
    plan = Plan((Conv(1, 1), Pool()), (Upsample(), Conv(1)), Conv(1))
    kernel = np.arange(1, 10, dtype=np.float32).reshape(3, 3, 1, 1)
    one = np.ones((1, 1, 1, 1), np.float32)
    found = simulation.hidden_maps(plan, (one, kernel, kernel), np.full((1, 2, 2, 1), 3, "f"))
    # At (0, 0) the pixel lies under the filter's centre (5); at (1, 1) under its top left (1).
    np.testing.assert_array_equal(ops.convert_to_numpy(found)[0, ..., 0], [[15, 12], [6, 3]])


def test_nearest_upsampling_by_hand():
    plan = Plan((Conv(1, 1), Pool()), (Upsample("nearest"),), Conv(1))
    image = np.zeros((1, 3, 3, 1), "f")
    image[0, ::2, ::2, 0] = [[1, 2], [3, 4]]
    one = np.ones((1, 1, 1, 1), np.float32)
    found = ops.convert_to_numpy(simulation.hidden_maps(plan, (one, one), image))
    np.testing.assert_array_equal(found[0, ..., 0], [[1, 1, 2], [1, 1, 2], [3, 3, 4]])


@pytest.mark.parametrize("upsampling", ["zero", "nearest"])
@pytest.mark.parametrize("pooling", ["max", "average", "l2"])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("tap", ["pre_pool", "post_pool"])
def test_it_is_the_network_of_the_library(upsampling, pooling, kernel, tap):
    # Odd sizes: pools round up and upsamplings are cropped.
    x = pictures(2, 17, 14)
    config = NetworkConfig(
        layer="conv2",
        channels=5,
        kernel=kernel,
        padding="zero",
        upsampling=upsampling,
        pooling=pooling,
        tap=tap,
        std=0.1,
    )
    plan = replace(plan_of(config), biases=False)
    kernels = simulation.draw_kernels(plan, std=0.1, seed=3)
    found = simulation.reconstruct(plan, kernels, x)["linear"]
    wanted = ops.convert_to_numpy(build_cnn_dcn(config, seed=3)(x))
    ratio = np.log2(np.abs(found).max() / np.abs(wanted).max())
    assert ratio == pytest.approx(round(ratio), abs=1e-4)  # a power of two
    np.testing.assert_allclose(
        found / np.abs(found).max(), wanted / np.abs(wanted).max(), atol=3e-6
    )


def test_consecutive_upsamplings_insert_zeros_between_zeros():
    plan = mirrored((Conv(2), Pool(), Pool(), Conv(2)))
    first, one, _, other = plan.decoder
    plan = replace(plan, decoder=(first, one, other))  # without the convolution between them
    kernels = simulation.draw_kernels(plan, seed=0)
    hidden = ops.convert_to_numpy(simulation.hidden_maps(plan, kernels, pictures(1, 8, 8)))
    lattice = np.zeros((8, 8), bool)
    lattice[::4, ::4] = True
    assert (hidden[0][~lattice] == 0).all()
    assert (hidden[0][lattice] > 0).any()


def test_scaling_by_powers_of_two_changes_no_bit_of_a_stretched_picture():
    plan = rr_vgg("conv2", channels=4)
    kernels = simulation.draw_kernels(plan, std=0.1, seed=1)
    scaled = [k * np.float32(2.0**n) for n, k in zip(range(-4, 4), kernels, strict=True)]
    x = pictures(2, 16, 16)
    for head in simulation.HEADS:
        pair = [simulation.reconstruct(plan, k, x)[head] for k in (kernels, scaled)]
        one, two = (ops.convert_to_numpy(metrics.stretched(p)) for p in pair)
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("std", [0.01, 0.1, 1.0])
def test_26_layers_stay_within_float32(std):
    plan = rr_vgg("conv5", channels=8)
    kernels = simulation.draw_kernels(plan, std=std, seed=0)
    for output in simulation.reconstruct(plan, kernels, pictures(1, 32, 32)).values():
        assert 1e-4 < np.abs(output).max() < 1e4


def test_heads_by_hand():
    hidden = np.array([[[[1.0, 3.0]]]], "f")
    np.testing.assert_array_equal(simulation.mean_head(hidden), [[[[2.0]]]])
    kernel = np.array([[[[1, 0, 2], [0, 1, 1]]]], "f")  # 1 x 1, 2 channels to 3
    np.testing.assert_array_equal(simulation.linear_head(hidden, kernel), [[[[1, 3, 5]]]])


def test_scores_are_those_of_the_reconstructions():
    plan = rr_vgg("conv1", tap="post_pool", channels=6)
    x = pictures(3, 20, 20)
    networks = [simulation.draw_kernels(plan, seed=s) for s in (0, 1)]
    (scores,) = simulation.score([plan], networks, x)
    for kernels, found in zip(networks, scores, strict=True):
        outputs = simulation.reconstruct(plan, kernels, x)
        grey = {"linear": metrics.luminance(outputs["linear"]), "mean": outputs["mean"]}
        truth = metrics.luminance(x)
        for head, output in grey.items():
            bounded = ops.convert_to_numpy(metrics.stretched(output))
            best = np.maximum(metrics.ssim(truth, bounded), metrics.ssim(truth, 1 - bounded))
            np.testing.assert_allclose(found[f"ssim {head}"], best, atol=1e-5)
            # The null is that of the next picture, the last one's of the first.
            other = np.roll(truth, -1, axis=0)
            null = np.maximum(metrics.ssim(other, bounded), metrics.ssim(other, 1 - bounded))
            np.testing.assert_allclose(found[f"null {head}"], null, atol=1e-5)
            noise = simulation._noise(x.shape)
            moments = [f(bounded, axis=(1, 2, 3), keepdims=True) for f in (np.mean, np.std)]
            noisy = moments[0] + moments[1] * noise
            null = np.maximum(metrics.ssim(truth, noisy), metrics.ssim(truth, 1 - noisy))
            np.testing.assert_allclose(found[f"noise {head}"], null, atol=1e-5)
            correlation = metrics.pearson(truth, bounded)
            np.testing.assert_allclose(found[f"pearson {head}"], correlation, atol=1e-5)
    assert len(scores[0]["chroma"]) == 3


def test_pictures_and_outputs_are_blurred_once_for_all_scores(monkeypatch):
    counts, blur = [], metrics._blur
    monkeypatch.setattr(metrics, "_blur", lambda maps: counts.append(maps.shape[0]) or blur(maps))
    plan = at_full_size(rr_vgg("conv1", channels=3))
    networks = [simulation.draw_kernels(plan, seed=s) for s in (0, 1)]
    simulation.score([plan], networks, pictures(2, 14, 14))
    # The pictures, the others, four outputs and the noise of each, all with their squares; an
    # output with either, and its noise with the pictures.
    assert sum(counts) == 2 * (2 * (2 + 4 + 4) + (2 + 1) * 4)


def test_a_single_picture_has_no_null():
    plan = at_full_size(rr_vgg("conv1", channels=2))
    (((scores,),)) = simulation.score(
        [plan], [simulation.draw_kernels(plan, seed=0)], pictures(1, 12, 12)
    )
    assert np.isnan(scores["null mean"]).all()
    assert np.isfinite(scores["ssim mean"]).all()
    assert np.isfinite(scores["noise mean"]).all()  # which needs no other picture


def test_plans_scored_together_are_those_scored_alone():
    plans = [rr_vgg("conv2", channels=4, upsampling=kind) for kind in ("zero", "nearest")]
    networks = [simulation.draw_kernels(plans[0], seed=s) for s in (0, 1)]
    x = pictures(2, 16, 16)
    together = simulation.score(plans, networks, x)
    alone = [simulation.score([plan], networks, x)[0] for plan in plans]
    for both, one in zip(together, alone, strict=True):
        for ours, theirs in zip(both, one, strict=True):
            for name, values in ours.items():
                np.testing.assert_allclose(values, theirs[name], atol=1e-5)


def test_scores_do_not_depend_on_batches(monkeypatch):
    plan = at_full_size(rr_vgg("conv1", channels=4))
    x, kernels = pictures(4, 12, 12), simulation.draw_kernels(plan, seed=0)
    whole = simulation.score([plan], [kernels], x)[0][0]
    monkeypatch.setattr(simulation, "_MAP_BYTES", 4 * 4 * 144 * 3)  # three pictures: two a call
    parts = simulation.score([plan], [kernels], x)[0][0]
    for name, values in whole.items():
        np.testing.assert_allclose(parts[name], values, atol=1e-5)


def test_groups_keep_the_largest_map_within_bounds():
    plan = rr_vgg("conv2", channels=64, tap="post_pool")
    for networks, images, side in ((30, 10, 227), (30, 50, 227), (5, 1, 16)):
        groups = simulation.groups(plan, networks, images=images, side=side)
        assert [n for group in groups for n in group] == list(range(networks))
        for group in groups:
            size = 4 * 64 * side * side * images * len(group)
            assert len(group) == 1 or size <= simulation._MAP_BYTES
    assert len(simulation.groups(plan, 5, images=1, side=16)) == 1


def test_the_largest_map_of_vgg():
    # Table 1: Conv1 has 64 maps of 227 x 227, the largest of all.
    assert simulation._largest_map(rr_vgg("conv5"), (227, 227)) == 4 * 3_297_856


@pytest.mark.slow
def test_2048_channels_of_227_pixels_fit_in_16_gib():
    code = (
        "import resource, numpy as np\n"
        "from recon.sweep import simulation\n"
        "from recon.plans import rr_vgg\n"
        "x = np.random.default_rng(0).random((50, 227, 227, 3), dtype=np.float32)\n"
        "for kind in ('zero', 'nearest'):\n"
        "    plan = rr_vgg('conv1', tap='post_pool', channels=2048, upsampling=kind)\n"
        "    assert len(simulation.groups(plan, 30, images=50, side=227)) == 30\n"
        "    kernels = simulation.draw_kernels(plan, seed=0)\n"
        "    assert simulation._batch(plan, [kernels], x) == 1\n"
        "    simulation.score([plan], [kernels], x[:1])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) < 16 * 2**30
