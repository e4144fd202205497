"""The FVT, every method: on features of a real photograph and a real drawing."""

from dataclasses import replace
from typing import get_args, get_type_hints

import numpy as np
import pytest

from rrstyle.config import OptimiseConfig, StyleConfig
from rrstyle.progress import Step, ignore
from rrstyle.transfer import closed_form
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.closed_form import fit_gaussian, fit_map
from rrstyle.transfer.feature_networks import pyramid_network
from rrstyle.transfer.features import Transfer, resize_features
from rrstyle.transfer.methods import METHODS as TABLE
from rrstyle.transfer.methods import transform
from rrstyle.transfer.optimise import _DETAIL, Objective, optimise
from tests.support.pairs import METHODS, THIN, features, rms

QUICK = StyleConfig(
    encoder=THIN,
    optimise=OptimiseConfig(steps=(6, 4, 3)),
)
# `paint` works on pictures: see test_paint.
FVTS = [name for name in METHODS if name != "paint"]
ITERATIVE = ("optimise pyramid", "optimise vgg")


def config(name, **changes):
    return replace(QUICK, **METHODS[name], **changes)


def transformed(content, style, config, **others):
    return transform(Transfer(content, Blend.of(style), config, **others))


def chelsea(side=64):
    return features("chelsea", side)


def waves(side=64):
    return features("waves", side)


def run(name, *, side=64, seed=0, on_step=ignore, **changes):
    content, style = chelsea(side), waves(side)
    return transformed(content, style, config(name, **changes), seed=seed, on_step=on_step)


def test_the_table_has_the_methods_of_the_settings():
    assert {*TABLE, "paint"} == set(get_args(get_type_hints(StyleConfig)["method"]))
    assert "paint" not in TABLE


@pytest.mark.parametrize("name", FVTS)
def test_the_result_has_the_contents_form(name):
    content, style = chelsea(48), waves(64)
    result = transformed(content, style, config(name), seed=0)
    assert result.shape == content.shape
    assert result.shape[:2] != style.shape[:2]
    assert result.dtype == np.float32
    assert np.isfinite(result).all()


@pytest.mark.parametrize("name", FVTS)
def test_inputs_are_left_alone(name):
    # They are read-only: writing would raise. So would handing them on to be written to.
    content, style = chelsea(48), waves(48)
    before = content.copy(), style.copy()
    transformed(content, style, config(name), seed=0)
    np.testing.assert_array_equal(content, before[0])
    np.testing.assert_array_equal(style, before[1])


# Strength


@pytest.mark.parametrize("name", FVTS)
def test_the_distance_to_the_content_grows_with_strength(name):
    content = chelsea()
    found = {s: rms(run(name, strength=s) - content) for s in (0, 0.01, 0.25, 0.5, 0.75, 1)}
    full = found[1]
    assert found[0] == 0
    # Measured: the first hundredth moves 0.009 to 0.010 of the way, quarters 0.22 to 0.29 of it.
    assert 0 < found[0.01] < 0.02 * full
    quarters = np.diff([found[s] for s in (0, 0.25, 0.5, 0.75, 1)])
    assert quarters.min() > 0.15 * full
    assert full > 0.2 * rms(waves())


@pytest.mark.parametrize("name", FVTS)
def test_at_strength_0_the_content_comes_back_exactly(name):
    np.testing.assert_array_equal(run(name, side=48, strength=0.0), chelsea(48))


@pytest.mark.parametrize("name", closed_form.METHODS)
@pytest.mark.parametrize("strength", [0.01, 0.5])
def test_closed_forms_move_on_a_straight_line(name, strength):
    content, full = chelsea(), run(name)
    expected = (1 - strength) * content + strength * full
    atol = 1e-5 * rms(full)
    np.testing.assert_allclose(run(name, strength=strength), expected, rtol=0, atol=atol)


# Measured at 0.50 -> 0.51, relative to the way from 0 to 1: 0.016 and 0.027 of the optimisations;
# two unrelated strengths are 0.25 apart and more.
@pytest.mark.parametrize(
    ("name", "share"),
    [("optimise pyramid", 0.06), ("optimise vgg", 0.06)],
)
def test_a_small_step_in_strength_changes_little(name, share):
    moved = rms(run(name, strength=0.51) - run(name, strength=0.5))
    assert moved < share * rms(run(name) - chelsea())


# Closed forms


@pytest.mark.parametrize("name", closed_form.METHODS)
def test_closed_forms_reach_the_styles_gaussian(name):
    found, wanted = fit_gaussian(run(name)), fit_gaussian(waves())
    np.testing.assert_allclose(found.mean, wanted.mean, rtol=1e-4)
    a, b = found.covariance, wanted.covariance
    if name == "adain":  # the variances alone
        a, b = np.diag(a), np.diag(b)
    # The floor on variances, 1e-4 of their mean, is what is missing.
    assert np.linalg.norm(a - b) < 0.01 * np.linalg.norm(b)


def test_adain_leaves_the_contents_correlations():
    live = chelsea().std(axis=(0, 1)) > 0  # a ReLU may leave nothing of a channel

    def correlation(x):
        return np.corrcoef(x[..., live].reshape(-1, live.sum()).T)

    found = correlation(run("adain"))
    np.testing.assert_allclose(found, correlation(chelsea()), atol=1e-3)
    assert np.abs(found - correlation(waves())).max() > 0.02


@pytest.mark.parametrize("name", closed_form.METHODS)
def test_closed_forms_draw_nothing(name):
    np.testing.assert_array_equal(run(name, seed=0), run(name, seed=1))


# Seeds


@pytest.mark.parametrize("name", ITERATIVE)
def test_the_same_seed_gives_the_same_features_and_another_seed_others(name):
    first = run(name, side=48, seed=3)
    np.testing.assert_array_equal(run(name, side=48, seed=3), first)
    # Far above what rounding would do.
    assert rms(run(name, side=48, seed=4) - first) > 1e-3 * rms(first)


# The optimisation


def plain(x):
    """Features in units of their root mean square, as `optimise` takes them."""
    return x / np.float32(rms(x))


class Recorded:
    """A function from sizes to pyramids that remembers what it was asked for."""

    def __init__(self):
        self.sizes, self.networks = [], []

    def __call__(self, size):
        self.sizes.append(size)
        self.networks.append(pyramid_network(THIN.channels, size=size, seed=0, dtype="float32"))
        return self.networks[-1]


def optimised(content, style, *, network="pyramid", on_step=ignore, networks=None, **settings):
    config = StyleConfig(network=network, optimise=OptimiseConfig(**settings))
    given = Transfer(content, Blend.of(style), config, seed=0, on_step=on_step)
    return optimise(given, networks or Recorded())


def progress(steps):
    """Steps without those that carry features, which the pipeline turns into previews or drops."""
    return [step for step in steps if step.features is None]


def target_of(content, style):
    return fit_map("transport", fit_gaussian(content), fit_gaussian(style))(content)


@pytest.mark.parametrize("loss", ["mean_covariance", "mean_std", "gram"])
@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_the_optimisation_lowers_its_loss(optimiser, loss):
    content, style = plain(chelsea(48)), plain(waves(48))
    networks = Recorded()
    result = optimised(
        content, style, networks=networks, steps=(10,), optimiser=optimiser, loss=loss
    )
    target = target_of(content, style)
    config = OptimiseConfig(loss=loss)
    objective = Objective(networks.networks[0], target, style, config=config)
    assert objective.value(result) < 0.9 * objective.value(target)


def test_scales_and_their_progress():
    content, style = plain(chelsea())[:40, :56], plain(waves())[:48, :41]
    steps, networks = [], Recorded()
    optimised(content, style, on_step=steps.append, networks=networks, steps=(9, 2, 3))
    # 40 / 4 pixels are too few: two scales. A step at half size is a quarter of the work.
    starts = [s for s in steps if s.features is not None]
    assert [s.features.shape[:2] for s in starts] == [(20, 28), (40, 56)]
    steps = progress(steps)
    assert [s.stage for s in steps] == 2 * ["optimising at 28×20"] + 3 * ["optimising at 56×40"]
    work = np.array([0.25, 0.25, 1, 1, 1])
    np.testing.assert_allclose([s.fraction for s in steps], work.cumsum() / work.sum())
    assert networks.sizes == [(20, 21)]  # of the smaller of both at the coarsest scale


def test_full_size_is_kept_where_every_scale_is_too_small():
    content, style = plain(chelsea())[:20, :24], plain(waves())[:30, :30]
    steps = []
    result = optimised(content, style, network="vgg", on_step=steps.append, steps=(5, 4, 2))
    assert [s.stage for s in progress(steps)] == 2 * ["optimising at 24×20"]
    assert result.shape == content.shape


@pytest.mark.parametrize("narrow", ["content", "style"])
def test_a_narrow_input_narrows_the_pyramid(narrow):
    content, style = plain(chelsea())[:40, :40], plain(waves())[:40, :40]
    if narrow == "content":
        content = content[:, :16]
    else:
        style = style[:, :16]
    networks = Recorded()
    result = optimised(content, style, networks=networks, steps=(1, 1, 1))
    assert networks.sizes == [(40, 16)]
    assert np.isfinite(result).all()


def test_the_content_start_is_the_transported_content():
    content, style = plain(chelsea(48)), plain(waves(48))
    result = optimised(content, style, steps=(1,), learning_rate=1e-7)
    np.testing.assert_allclose(result, target_of(content, style), atol=1e-5)


def test_the_random_start_is_noise_of_the_targets_gaussian():
    content, style = plain(chelsea(48)), plain(waves(48))
    target = target_of(content, style)
    result = optimised(content, style, steps=(1,), learning_rate=1e-7, start="random")
    live = target.std(axis=(0, 1)) > 0  # a ReLU may leave nothing of a channel
    result, target = result[..., live], target[..., live]
    assert live.sum() >= 3
    found, wanted = fit_gaussian(result), fit_gaussian(target)
    pixels = target.shape[0] * target.shape[1]
    error = np.sqrt(np.diag(wanted.covariance) / pixels)  # standard error of a mean
    assert np.all(np.abs(found.mean - wanted.mean) < 5 * error)
    # Of a variance: sqrt(2 / pixels) of itself.
    ratio = np.diag(found.covariance) / np.diag(wanted.covariance)
    assert np.all(np.abs(ratio - 1) < 5 * np.sqrt(2 / pixels))
    # White, and so unlike the content: pixels side by side do not correlate.
    for x, low, high in ((result, -0.1, 0.1), (target, 0.5, 1)):
        assert low < np.corrcoef(x[:, 1:, 0].ravel(), x[:, :-1, 0].ravel())[0, 1] < high


def test_a_finer_scale_gets_part_of_the_fine_detail():
    content, style = plain(chelsea()), plain(waves())
    target = target_of(content, style)
    result = optimised(content, style, steps=(1, 1), learning_rate=1e-7)
    height, width = ((side + 1) // 2 for side in target.shape[:2])
    smooth = resize_features(resize_features(target, (height, width)), target.shape[:2])
    detail = target - smooth
    share = float(np.vdot(result - smooth, detail) / np.vdot(detail, detail))
    assert share == pytest.approx(_DETAIL, abs=1e-3)
    assert 0 < share < 1
    np.testing.assert_allclose(result, smooth + share * detail, atol=1e-4)


@pytest.mark.parametrize("setting", [{"start": "random"}, {"optimiser": "lbfgs"}, {"loss": "gram"}])
def test_settings_of_the_optimisation_matter(setting):
    settings = replace(QUICK.optimise, **setting)
    plain_result = run("optimise pyramid", side=48)
    assert rms(run("optimise pyramid", side=48, optimise=settings) - plain_result) > 1e-2 * rms(
        plain_result
    )


def test_both_networks_matter():
    pyramid, vgg = (run(f"optimise {name}", side=48) for name in ("pyramid", "vgg"))
    assert rms(pyramid - vgg) > 1e-2 * rms(vgg)


# Progress


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
@pytest.mark.parametrize("name", ITERATIVE)
def test_progress_rises_to_its_end(name, optimiser):
    steps = []
    settings = replace(QUICK.optimise, optimiser=optimiser)
    run(name, side=48, on_step=steps.append, optimise=settings)
    assert [s.fraction for s in steps] == sorted(s.fraction for s in steps)
    fractions = [s.fraction for s in progress(steps)]
    assert len(fractions) >= 3
    assert 0 < fractions[0] < 0.5
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


class Stop(Exception):
    pass


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
@pytest.mark.parametrize("name", ITERATIVE)
def test_an_exception_of_the_callback_comes_out_unchanged(name, optimiser):
    stop, told = Stop("enough"), []

    def on_step(step: Step):
        told.append(step)
        if len(told) == 2:
            raise stop

    settings = replace(QUICK.optimise, optimiser=optimiser)
    with pytest.raises(Stop) as caught:
        run(name, side=48, on_step=on_step, optimise=settings)
    assert caught.value is stop
    assert len(told) == 2


# Statistics


def test_statistics_stay_float32_over_bfloat16_convolutions():
    from keras import ops

    content = plain(chelsea(48))
    network = pyramid_network(THIN.channels, size=(32, 48), seed=0, dtype="bfloat16")
    outputs = network.network.model.stateless_call(
        list(network.network.weights), [], ops.convert_to_tensor(content[None])
    )[0]
    assert "bfloat16" in {str(o.dtype.name) for o in outputs}  # or nothing would be shown
    objective = Objective(network, content, content, config=OptimiseConfig())
    value, gradient = objective.value_and_grad(content)
    assert gradient.dtype == np.float32
    _, kept, wanted, *_ = objective._args
    statistics = [*kept, *(part for pair in wanted for part in pair)]
    assert {s.dtype.name for s in statistics} == {"float32"}
    assert value < 1e-9
