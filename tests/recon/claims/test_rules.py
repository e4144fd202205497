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


def test_every_rule_is_of_a_claim_that_says_it_and_has_a_day():
    words = {claim.id: claim.rule for claim in CLAIMS}
    for name, rule in RULES.items():
        assert words[name] == rule.text
        assert DAY.fullmatch(rule.fixed)


def test_every_experiment_that_decides_a_claim_by_a_fixed_rule_has_a_budget():
    assert {claim.experiment for claim in CLAIMS if claim.id in RULES} == set(BUDGETS)


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
