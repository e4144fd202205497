"""Verdicts on the claims about trained DCNs, of rows whose effect is known."""

import numpy as np
import pandas as pd
import pytest

from recon.claims.register import CLAIMS

BY_ID = {claim.id: claim for claim in CLAIMS}
NETWORKS = range(4)
STEPS = (1, 50, 75, 100)


def verdicts(claim: str, frame: pd.DataFrame) -> dict[str, str]:
    return {finding.case: finding.verdict for finding in BY_ID[claim].findings(frame)}


def courses(levels: dict[tuple, float], names: tuple[str, ...], *, noise=0.01) -> pd.DataFrame:
    """Losses that fall to the level of each key, straight in their logarithm, by half time."""
    rng = np.random.default_rng(0)
    rows = []
    for key, level in levels.items():
        for network in NETWORKS:
            end = level * (1 + 0.08 * network) * (1 + noise * rng.standard_normal())
            for step in STEPS:
                row = dict(zip(names, key, strict=True)) | {"network": network, "step": step}
                rows.append(row | {"validation_mse": end ** min(1, (step - 1) / 49)})
    return pd.DataFrame(rows)


def convergence(vgg: tuple[float, float], alexnet: tuple[float, float], **more) -> pd.DataFrame:
    """Final losses, random and trained."""
    levels = {
        (name, kind): level
        for name, found in (("vgg16", vgg), ("alexnet", alexnet))
        for kind, level in zip(("random", "trained"), found, strict=True)
    }
    return courses(levels, ("architecture", "encoder"), **more)


@pytest.mark.parametrize(
    ("vgg", "alexnet", "expected"),
    [
        # VGG16: final loss, on the way; AlexNet the same; the more so on VGG16.
        ((0.01, 0.03), (0.02, 0.03), ("holds", "holds", "holds", "holds", "holds")),
        ((0.03, 0.01), (0.02, 0.03), ("fails", "fails", "holds", "holds", "fails")),
        ((0.02, 0.03), (0.01, 0.03), ("holds", "holds", "holds", "holds", "fails")),
    ],
)
def test_random_cnns_train_better_or_not(vgg, alexnet, expected):
    found = verdicts("C1", convergence(vgg, alexnet))
    assert list(found) == [
        "VGG16, final loss",
        "VGG16, on the way",
        "AlexNet, final loss",
        "AlexNet, on the way",
        "the more so on VGG16",
    ]
    assert tuple(found.values()) == expected


def test_effects_of_courses_by_hand():
    frame = convergence((0.01, 0.1), (0.02, 0.02), noise=0)
    final, way, *_, more = BY_ID["C1"].findings(frame)
    assert final.effect.estimate == pytest.approx(0.1)
    assert final.detail == "loss 0.0112 random, 0.112 trained, after 100 steps"
    # Straight lines from 0 to -2 and to -1 decades at half time: three quarters of a decade.
    assert way.effect.estimate == pytest.approx(-0.75, abs=0.01)
    assert more.effect.estimate == pytest.approx(-1)


def test_equal_courses_are_undecided():
    found = verdicts("C1", convergence((0.02, 0.02), (0.02, 0.02), noise=0.1))
    assert set(found.values()) == {"undecided"}


def test_without_a_trained_cnn_nothing_is_tested_of_it():
    frame = convergence((0.01, 0.03), (0.02, 0.03))
    random = frame[(frame["encoder"] == "random") | (frame["architecture"] == "alexnet")]
    found = verdicts("C1", random)
    assert found == {
        "VGG16": "not tested",
        "AlexNet, final loss": "holds",
        "AlexNet, on the way": "holds",
    }
    assert verdicts("C2", random) == {"random CNN": "holds", "trained CNN": "not tested"}


@pytest.mark.parametrize(("vgg", "expected"), [(0.01, "holds"), (0.03, "fails")])
def test_vgg_beside_alexnet(vgg, expected):
    found = verdicts("C2", convergence((vgg, vgg), (0.02, 0.02)))
    assert found == {"random CNN": expected, "trained CNN": expected}


def final(random, trained, *, validation=1.0, images=40, noise=0.02) -> pd.DataFrame:
    """Losses by block; those of validation are so many times those of training."""
    rng = np.random.default_rng(0)
    hard = rng.lognormal(0, 1, images)  # how hard the pictures are: far more than what is asked
    rows = []
    for kind, levels in (("random", random), ("trained", trained)):
        for block, level in enumerate(levels, start=1):
            for network in NETWORKS:
                held_out = np.arange(images) < images // 2
                held_out = held_out if network % 2 == 0 else ~held_out
                scatter = np.exp(noise * rng.standard_normal(images))
                for image in range(images):
                    role = "validation" if held_out[image] else "training"
                    mse = (
                        level * hard[image] * scatter[image] * (validation if role[0] == "v" else 1)
                    )
                    row = {"architecture": "vgg16", "block": block, "encoder": kind}
                    row |= {"network": network, "set": role, "image": str(image), "mse": mse}
                    rows += [row | {"step": step} for step in (50, 100)]
    return pd.DataFrame(rows)


RISING = (0.01, 0.02, 0.04)
SLOWLY = (0.01, 0.011, 0.012)
FALLING = (0.04, 0.02, 0.01)


@pytest.mark.parametrize(
    ("validation", "expected"),
    [(1.0, "holds"), (1.5, "fails"), (0.5, "fails")],
)
def test_validation_is_like_training_whatever_the_pictures(validation, expected):
    found = BY_ID["C3"].findings(final(SLOWLY, RISING, validation=validation))
    assert {one.case: one.verdict for one in found} == {
        "VGG16, random CNN": expected,
        "VGG16, trained CNN": expected,
    }
    assert found[0].effect.estimate == pytest.approx(validation, rel=0.02)
    assert "over 40 pictures; " in found[0].detail


def test_a_few_pictures_whose_losses_scatter_are_undecided():
    found = verdicts("C3", final(SLOWLY, RISING, images=8, noise=0.5))
    assert set(found.values()) == {"undecided"}


def test_pictures_of_one_role_do_not_tell():
    frame = final(SLOWLY, RISING)
    assert set(verdicts("C3", frame[frame["network"] == 0]).values()) == {"not tested"}


@pytest.mark.parametrize(
    ("random", "trained", "expected"),
    [
        # Random rises, rises slowly; trained rises; is steeper.
        (SLOWLY, RISING, ("holds", "holds", "holds", "holds")),
        (RISING, RISING, ("holds", "fails", "holds", "undecided")),
        (RISING, SLOWLY, ("holds", "fails", "holds", "fails")),
        (FALLING, FALLING, ("fails", "holds", "fails", "undecided")),
    ],
)
def test_losses_over_the_blocks(random, trained, expected):
    found = verdicts("C4", final(random, trained))
    assert found == dict(
        zip(
            (
                "random CNN rises",
                "random CNN rises slowly",
                "trained CNN rises",
                "trained CNN is steeper",
            ),
            expected,
            strict=True,
        )
    )


def test_slopes_are_decades_per_block():
    finding = BY_ID["C4"].findings(final((0.01, 0.1), (0.01, 0.02)))[0]
    assert finding.effect.estimate == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("small", "large", "expected"),
    [(0.021, 10.0, ("holds", "holds")), (0.04, 0.02, ("fails", "fails"))],
)
def test_small_deviations_and_a_large_one(small, large, expected):
    frame = courses({(0.015,): 0.02, (0.1,): small, (1.0,): large}, ("std",))
    found = verdicts("C5a", frame)
    assert found == dict(zip(("N(0, 0.1) is equal", "N(0, 1) is worse"), expected, strict=True))


@pytest.mark.parametrize(("level", "expected"), [(0.021, "holds"), (0.03, "fails")])
def test_the_laws(level, expected):
    frame = courses({("gaussian",): 0.02, ("uniform",): level, ("laplace",): level}, ("law",))
    assert verdicts("C5b", frame) == {"laplace": expected, "uniform": expected}


@pytest.mark.parametrize(("claim", "name", "key"), [("C5a", "std", 0.1), ("C5b", "law", "laplace")])
def test_without_what_is_compared_with_nothing_is_tested(claim, name, key):
    (finding,) = BY_ID[claim].findings(courses({(key,): 0.02}, (name,)))
    assert finding.verdict == "not tested"
    assert finding.detail.startswith("the rows lack")


def test_a_verdict_that_the_last_half_of_the_steps_changes_is_none():
    frame = convergence((0.01, 0.03), (0.02, 0.03))
    at = (frame["step"] == 75) & (frame["encoder"] == "random") & (frame["architecture"] == "vgg16")
    frame.loc[at, "validation_mse"] = 0.9
    final, *_ = BY_ID["C1"].findings(frame)
    assert final.verdict == "not testable"
    assert final.detail.startswith(
        "the verdict still changes: holds from step 50, fails from step 75, holds from step 100 of"
    )
    assert [step for step, _ in final.course] == [50, 75, 100]
    assert final.course[-1][1].verdict == "holds"
    # Before half time it may change as it likes.
    frame.loc[at, "step"] = 10
    assert verdicts("C1", frame)["VGG16, final loss"] == "holds"


def test_losses_at_the_end_alone_do_not_show_that_a_verdict_stays():
    frame = final(SLOWLY, RISING)
    found = BY_ID["C3"].findings(frame[frame["step"] == 100])
    assert {one.verdict for one in found} == {"not testable"}
    assert found[0].detail.startswith("the last half of the 100 steps has one row")


def test_one_network_decides_nothing():
    frame = convergence((0.01, 0.03), (0.02, 0.03))
    found = BY_ID["C1"].findings(frame[frame["network"] == 0])
    assert {one.verdict for one in found} == {"undecided"}
    assert found[0].detail.startswith("too few networks for an interval (1)")
