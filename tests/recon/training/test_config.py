"""Settings of a training: the paper's, and what is refused."""

import json
import math
import subprocess
import sys

import pytest
from keras.optimizers.schedules import PiecewiseConstantDecay

from recon.training.config import SMALL, TrainingConfig
from rrstyle.config import from_dict, to_dict


def test_defaults_are_those_of_the_paper():
    config = TrainingConfig()
    assert (config.batch, config.steps, config.learning_rate) == (32, 200_000, 1e-4)
    assert (config.betas, config.weight_decay, config.crop) == ((0.9, 0.999), 4e-4, 227)
    network = config.network
    assert (network.layer, network.tap, network.law, network.std) == (
        "conv2",
        "pre_pool",
        "gaussian",
        0.015,
    )
    assert network.encoder_activation == network.decoder_activation == "leaky_relu"
    assert network.padding == "zero"
    assert SMALL.crop == 64


def test_a_config_survives_json():
    config = TrainingConfig(milestones=(3, 5), precision="bfloat16")
    assert from_dict(TrainingConfig, json.loads(json.dumps(to_dict(config)))) == config


def test_the_command_can_read_it_without_anything_heavy():
    code = "import sys, recon.training.config; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"keras", "tensorflow", "jax", "numpy"} & set(done.stdout.split())


def test_rates_by_hand():
    config = TrainingConfig(learning_rate=0.5, milestones=(2, 4), rate_factor=0.1)
    rates = [config.rate(step) for step in range(1, 7)]
    assert rates == pytest.approx([0.5, 0.5, 0.05, 0.05, 0.005, 0.005])


def test_rates_are_those_of_a_piecewise_constant_decay():
    config = TrainingConfig(learning_rate=0.5, milestones=(2, 4), rate_factor=0.1)
    # Keras counts steps from 0, and its boundaries belong to what is before them.
    schedule = PiecewiseConstantDecay([1, 3], [0.5, 0.05, 0.005])
    for step in range(1, 7):
        assert config.rate(step) == pytest.approx(float(schedule(step - 1)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights": ""}, "weights must be random or the name of trained weights; received ''"),
        ({"seed": -1}, r"seed must be an integer from 0 to 2\^128; received -1"),
        ({"batch": 0}, "batch must be an integer from 1 to 65536; received 0"),
        ({"steps": True}, "steps must be an integer from 1 to 1000000000; received True"),
        (
            {"checkpoint_every": 1.5},
            "checkpoint_every must be an integer from 1 to 1000000000; received 1.5",
        ),
        ({"learning_rate": math.inf}, "learning_rate must be from 1e-09 to 1000; received inf"),
        ({"rate_factor": 0}, "rate_factor must be from 1e-06 to 1000; received 0"),
        (
            {"milestones": (5, 5)},
            "milestones must be at most 1000 integers from 1 to 1000000000, rising",
        ),
        ({"betas": (0.9, 1)}, "betas must be two numbers from 0 to below 1"),
        ({"betas": (0.9,)}, "betas must be two numbers from 0 to below 1"),
        ({"weight_decay": -1}, "weight_decay must be from 0 to 100000; received -1"),
        ({"precision": "half"}, "precision must be one of auto, float32, bfloat16"),
        ({"network": None}, "network must be a NetworkConfig; received None"),
    ],
)
def test_what_breaks_a_rule_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        TrainingConfig(**changes)
