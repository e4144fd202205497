"""Rules, budgets and seeds of the study, with the day that each was fixed.

A rule, or a budget, that was changed after rows were looked at says what was changed. Committed
runs of rules that are fixed here have seeds that no earlier look had.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# What counts as what. Random networks:
HALF = (0.35, 0.65)  # about half
ALIKE = (0.8, 1.25)  # similar: a ratio of SSIM, of final losses, of variances
REMOVED = 0.8  # share of a decay that counts as its removal
LOST = 0.3  # correlation below which colour counts as lost
LOW_LAYERS = (1, 2, 3)  # the k of CDk whose colours are looked at
# Trained DCNs:
SAME = (0.9, 1.1)  # ratio of validation to training loss that counts as equal
SLOW = 0.15  # decades of loss a block: a factor of 1.41
SETTLED = 0.5  # share of the steps from which on a verdict must not change
PAPERS_STD = 0.015  # of the Gaussian that others are compared with
LARGE_STD = 1.0  # from which on a Gaussian is claimed to be worse
# Style transfer:
JUMP = 0.5  # share of the way from the first to the last picture that a tenfold step may take
VISIBLE = 0.05  # root mean square distance, pixels of 0 to 1, at which pictures differ
# Invertibility:
ABOUT_ONE = (0.9, 1.1)  # a ratio of norms of about 1
USED = 0.9  # error of a DCN over that of the mean picture, at most, if it sees activations
SAME_POWER = 0.1  # difference of powers, at most, that count as the same
INJECTIVE = (6.70, 7.65, 8.34)  # predicted ratios from which a Gaussian layer is injective
# Theorems:
SQUARE_ROOT = (-0.6, -0.4)  # power of N that counts as 1 / sqrt N
WIDE = 16  # least N that powers are taken over
EQUAL = (0.95, 1.05)  # measured over predicted size that counts as equal
DELTA = 0.1  # probability with which a bound may be broken

FIRST, SECOND = "2026-11-21", "2026-11-28"  # days


@dataclass(frozen=True)
class Rule:
    """When a claim holds: where the whole interval does."""

    text: str
    fixed: str = FIRST  # the day, as YYYY-MM-DD
    changed: str = ""  # what was changed after a first look at rows; empty where nothing was


@dataclass(frozen=True)
class Budget:
    """What a run at laptop scale may cost; the experiment's settings must be these."""

    settings: Mapping[str, int | float]  # those that decide the cost, as the experiment has them
    seed: int = 0  # of the committed run
    fixed: str = FIRST
    changed: str = ""  # as of a rule


@dataclass(frozen=True)
class Void:
    """Cases that committed rows no longer decide, as what they were measured on has changed."""

    case: str  # a word of their names or units
    why: str


# By the first 16 digits of the SHA-256 of the rows.
VOID: Mapping[str, Void] = {
    "f918301d3516abb1": Void(
        "AlexNet", "measured before AlexNet's DCN could write its last rows and columns"
    ),
}

_INTERVAL = "95 % interval of the"
_FINAL = f"{_INTERVAL} geometric mean over networks of the ratio of final losses"
_STEPS = (
    " Not testable where the verdict changes during the last half of the steps."
    " Losses of pictures held out."
)
_FLOOR = (
    " Only where SSIM is above its null, that of the same output with another picture or, if"
    " greater and where rows have it, of noise with the output's mean and deviation: 95 % interval"
    " of the difference above 0; not testable where too little is left."
)
_FACTORS = (
    " Least squares of each network on its own, Student's interval over networks; reduction is"
    " categorical."
)
_ADDED_FLOOR = "the null of SSIM was added"
_ADDED_STEPS = "the condition on the last half of the steps was added"
_GEOMETRIC = "the ratio became geometric, where Fieller's interval reached below 0; " + _ADDED_STEPS
_CLUSTERED = (
    "cells of a network counted as independent, and SSIM as linear in the logarithm of the"
    " reduction; " + _ADDED_FLOOR
)

RULES: Mapping[str, Rule] = {
    "C1": Rule(
        f"{_FINAL}, random over trained, below 1; of the mean over the steps of the difference of"
        " log losses, below 0; of the difference of the log ratios of final losses, VGG16 less"
        f" AlexNet, below 0.{_STEPS}",
        SECOND,
        _GEOMETRIC,
    ),
    "C2": Rule(
        f"{_FINAL}, VGG16 over AlexNet, below 1; random and trained CNNs apart.{_STEPS}",
        SECOND,
        _GEOMETRIC,
    ),
    "C3": Rule(
        f"{_INTERVAL} ratio of a picture's loss where it is held out to that where it is trained"
        f" on, over pictures and all blocks, inside {SAME[0]} to {SAME[1]}. Not testable where the"
        " verdict changes during the last half of the steps.",
        SECOND,
        _ADDED_STEPS,
    ),
    "C4": Rule(
        f"{_INTERVAL} slope of the log10 loss over k, VGG16: above 0 for both; below {SLOW} a block"
        f" for the random CNN; larger for the trained one.{_STEPS}",
        SECOND,
        _ADDED_STEPS,
    ),
    "C5a": Rule(
        f"{_FINAL}, over those of N(0, {PAPERS_STD}), inside {ALIKE[0]} to {ALIKE[1]} for small"
        f" deviations, above {ALIKE[1]} for N(0, 1). VGG16, Conv2.{_STEPS}",
        SECOND,
        _GEOMETRIC,
    ),
    "C5b": Rule(
        f"{_FINAL}, over those of the Gaussian, inside {ALIKE[0]} to {ALIKE[1]}. The papers'"
        f" parameters, VGG16, Conv2.{_STEPS}",
        SECOND,
        _GEOMETRIC,
    ),
    "C6": Rule(
        f"{_INTERVAL} mean slope over networks, SSIM per block, below 0. Features before the"
        f" pool.{_FLOOR}",
        SECOND,
        _ADDED_FLOOR,
    ),
    "C7a": Rule(
        "Doubling the depth changes SSIM by at most half of what the first halving of the maps"
        f" takes: {_INTERVAL} difference above 0.{_FACTORS}{_FLOOR}",
        SECOND,
        _CLUSTERED,
    ),
    "C7b": Rule(
        "Doubling the depth takes more SSIM than doubling the channels changes:"
        f" {_INTERVAL} difference above 0.{_FACTORS}{_FLOOR}",
        SECOND,
        _CLUSTERED,
    ),
    "C7c": Rule(
        "The first halving of the maps takes more SSIM than doubling the depth changes:"
        f" {_INTERVAL} difference above 0.{_FACTORS}{_FLOOR}",
        SECOND,
        _CLUSTERED,
    ),
    "C7d": Rule(
        f"{_INTERVAL} ratio of SSIM, full over simplified, CD2 to CD5, inside {ALIKE[0]} to"
        f" {ALIKE[1]}.{_FLOOR}",
        SECOND,
        _ADDED_FLOOR,
    ),
    "C8": Rule(
        f"{_INTERVAL} mean slope over networks, SSIM per doubling of the channels, above"
        f" 0.{_FLOOR}",
        SECOND,
        _ADDED_FLOOR,
    ),
    "C9": Rule(
        f"{_INTERVAL} mean slope over networks, SSIM per doubling of the side, below 0.{_FLOOR}",
        SECOND,
        _ADDED_FLOOR,
    ),
    "C10": Rule(
        f"{_INTERVAL} ratio inside {HALF[0]} to {HALF[1]}. The network of that section: features"
        f" after the pool, as many channels in all layers.{_FLOOR}",
        SECOND,
        _ADDED_FLOOR,
    ),
    "C11": Rule(
        f"{_INTERVAL} share of the decay (slope of SSIM over k) that is removed above"
        f" {REMOVED}. Simplified networks, as in the figure.{_FLOOR}",
        SECOND,
        "full networks were judged too, of which the paper says nothing; " + _ADDED_FLOOR,
    ),
    "C12": Rule(
        f"{_INTERVAL} mean size of the correlation of chroma with the photograph's, CD1 to"
        f" CD{LOW_LAYERS[-1]}, below {LOST}."
    ),
    "C13": Rule(
        f"From each ratio to the next, tenfold: {_INTERVAL} change of the content loss above"
        " 0; of the style loss, swd and the correlation of edges below 0. The largest step moves"
        f" the picture by less than {JUMP} of the sum of all steps (root mean square). Losses"
        " in decades.",
        SECOND,
    ),
    "C14": Rule(
        f"{_INTERVAL} mean distance of pictures that differ only in the rrVGG above"
        f" {VISIBLE} (root mean square, of 1); of the geometric mean over networks of its"
        " ratio to that of pictures that differ only in the FVT's seed, above 1, and so of 1 less"
        " the correlation of their edges. Random DCN, means over the paper's three models.",
        SECOND,
    ),
    "C15": Rule(
        f"{_INTERVAL} geometric mean over networks of the ratio of seconds a step, over those"
        " where Conv1_2 is the rrVGG's last layer, below 1. Each other layer is a case.",
        SECOND,
    ),
    "C16": Rule(
        f"{_INTERVAL} geometric mean over networks of the ratio, features over pixels, below"
        " 1: of seconds a step, and of the loss after as many steps. Each model is a case.",
        SECOND,
        changed="wall time became time of the computing thread: the machine did other work",
    ),
    "G1": Rule(
        f"{_INTERVAL} ratio of mean image errors over networks, random filters over random"
        " activations, below 1. Naive unpooling, as printed; each layer is a case of its own, where"
        f" the error with the activations themselves is at most {USED} of that of the mean picture,"
        " in each network.",
        SECOND,
        "the gate was against the random activations",
    ),
    "G2": Rule(
        f"{_INTERVAL} ratio of mean image errors over networks, random filters over learned ones,"
        " below 1. A trained CNN, naive unpooling; each layer is a case, as for G1.",
        SECOND,
        "the gate was against the random activations",
    ),
    "G3": Rule(
        f"{_INTERVAL} mean ratio over networks inside {ABOUT_ONE[0]} to {ABOUT_ONE[1]}. Each ratio"
        " is a case of its own."
    ),
    "G4": Rule(
        f"{_INTERVAL} power of a size with which the mean distortion over the printed order grows"
        f" inside −{SAME_POWER} to {SAME_POWER}; a bound, where it is below. Each size is a case of"
        " its own, the others as in section 4.2.",
        SECOND,
    ),
    "I1": Rule(
        f"{_INTERVAL} ratio over networks at which half of the inputs come back to .1 %, from"
        f" outputs in float32, over 2, inside {ABOUT_ONE[0]} to {ABOUT_ONE[1]}. Kinds, sorts of"
        " inputs and numbers of layers are cases, each at the most inputs it has.",
        SECOND,
    ),
    "I2": Rule(
        f"{_INTERVAL} highest ratio at which a search still finds an x with fewer active outputs"
        f" than inputs, over the predicted ratio, inside {EQUAL[0]} to {EQUAL[1]}; fails above."
        " Undecided below: a search bounds the ratio from below only. Fully random, one layer, the"
        " most inputs.",
        SECOND,
    ),
    "I3": Rule(
        f"{_INTERVAL} geometric mean over networks of the highest ratio as in I2, 3 x 3 filters"
        f" over fully random ones, inside {ABOUT_ONE[0]} to {ABOUT_ONE[1]}. One layer, the most"
        " inputs.",
        SECOND,
    ),
    "I4": Rule(
        f"{_INTERVAL} geometric mean over networks of the highest ratio as in I2, of the active"
        f" outputs of the second or third layer over those of the first, below {ABOUT_ONE[1]}. All"
        " layers of the same number of outputs.",
        SECOND,
    ),
    "T1": Rule(
        f"{_INTERVAL} power of N with which sin Θ between output and f* falls, N from {WIDE} on,"
        f" inside {SQUARE_ROOT[0]} to {SQUARE_ROOT[1]}; of the measured over the predicted constant"
        f" at the most channels inside {EQUAL[0]} to {EQUAL[1]}.",
        SECOND,
    ),
    "T2": Rule(
        "95 % interval (Clopper and Pearson) of the share of networks beyond the bound below"
        f" δ = {DELTA}; {_INTERVAL} relative variance over K₁ / N inside {ALIKE[0]} to {ALIKE[1]}.",
        SECOND,
    ),
    "T3": Rule(
        "95 % interval (Clopper and Pearson) of the share of networks beyond the bound below"
        f" δ = {DELTA}, where the bound is below 1; not testable where it never is.",
        SECOND,
    ),
    "T4": Rule("No picture and plan with cos Φ below the bound.", SECOND),
    "T5": Rule(
        f"As T1, with the f* of Theorem A.7 for networks with average pools; its size inside"
        f" {EQUAL[0]} to {EQUAL[1]} of the prediction.",
        SECOND,
    ),
}

NEW_SEED = 1000  # of runs after the rules of the second day: no network of an earlier look
BUDGETS: Mapping[str, Budget] = {
    "channels": Budget({"networks": 10, "images": 10, "side": 128}, NEW_SEED),
    "kernel-size": Budget({"networks": 10, "images": 10, "side": 128}, NEW_SEED),
    "depth": Budget({"networks": 8, "images": 4, "side": 96}, NEW_SEED),
    "factorial": Budget({"networks": 6, "images": 4, "side": 96}, NEW_SEED),
    "theory": Budget({"networks": 30, "images": 3, "small_side": 16}, NEW_SEED, SECOND),
    "rip-1d": Budget({"networks": 30, "codes": 200}),
    "rip-scaling": Budget({"networks": 10, "supports": 100}, NEW_SEED, SECOND),
    "injectivity": Budget(
        {"networks": 10, "images": 6, "side": 64, "inputs": 20, "starts": 32, "steps": 600},
        NEW_SEED,
        SECOND,
    ),
    "iht": Budget(
        {"networks": 3, "images": 100, "crop": 48, "batch": 4, "steps": 400},
        fixed=SECOND,
        changed="160 steps at first, after which DCNs hardly beat the mean picture",
    ),
    "convergence": Budget(
        {"networks": 3, "images": 200, "crop": 64, "batch": 4, "steps": 2000},
        changed="250 steps at first, which judged the start of the curves",
    ),
    "init-std": Budget({"networks": 3, "images": 200, "crop": 48, "batch": 8, "steps": 100}),
    "init-law": Budget({"networks": 3, "images": 200, "crop": 48, "batch": 8, "steps": 100}),
    "generalisation": Budget(
        {"networks": 3, "images": 200, "crop": 64, "batch": 4, "steps": 1000},
        changed="150, 400, 600 and, at half of the rate, 300 steps at first; verdicts of C4 moved",
    ),
    "style-ratio": Budget({"networks": 5, "images": 2, "side": 64, "steps": 30}, fixed=SECOND),
    "style-models": Budget({"networks": 4, "images": 1, "side": 64, "steps": 20}, fixed=SECOND),
    "style-layers": Budget({"networks": 4, "images": 1, "side": 128, "steps": 15}, fixed=SECOND),
    "style-speed": Budget({"networks": 5, "images": 1, "side": 64, "steps": 10}, fixed=SECOND),
}
