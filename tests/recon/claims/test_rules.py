"""Rules and budgets: that they are kept, and that a change of one is seen."""

import re
from pathlib import Path

import pytest

from recon.claims.register import CLAIMS
from recon.claims.rules import BUDGETS, RULES, VOID
from recon.experiments import find_experiment
from recon.report.files import read_results

RESULTS = read_results(Path(__file__).parents[3] / "results")
DAY = re.compile(r"2026-\d\d-\d\d")


def test_every_claim_has_a_rule_with_its_day():
    assert {claim.id for claim in CLAIMS} == set(RULES)
    assert all(DAY.fullmatch(claim.rule.fixed) for claim in CLAIMS)


def test_every_experiment_that_decides_a_claim_has_a_budget():
    assert {claim.experiment for claim in CLAIMS} == set(BUDGETS)


@pytest.mark.parametrize("name", BUDGETS)
def test_budgets_are_those_of_the_experiments_and_of_the_committed_runs(name):
    budget, settings = BUDGETS[name], find_experiment(name).settings["laptop"]
    assert DAY.fullmatch(budget.fixed)
    assert budget.settings.items() <= vars(settings).items()
    record = RESULTS.chosen[name].meta
    assert record["seed"] == budget.seed
    if name != "iht":  # whose committed run, of fewer steps, decides nothing
        assert budget.settings.items() <= record["settings"].items()


def test_what_is_void_is_there():
    assert all(re.fullmatch("[0-9a-f]{16}", digest) for digest in VOID)
