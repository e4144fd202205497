"""The claims beside the results: one entry each, tested or not."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from recon.claims.register import CLAIMS
from recon.claims.rules import BUDGETS, VOID
from recon.claims.verdicts import Claim, Finding, not_tested
from recon.experiments import EXPERIMENTS, find_experiment
from recon.experiments.catalogue import Described
from recon.report.files import Result, Results


@dataclass(frozen=True)
class Entry:
    """A claim, its findings (one a case), and the result that they come from."""

    claim: Claim
    findings: tuple[Finding, ...]
    result: Result | None

    @property
    def measured_on(self) -> str:
        """Scale, size and machine of the result; empty where there is none."""
        return self.result.measured_on() if self.result else ""


def entries(results: Results) -> tuple[Entry, ...]:
    """Every claim with what the results say of it."""
    return tuple(_entry(claim, results.chosen.get(claim.experiment)) for claim in CLAIMS)


def _entry(claim: Claim, result: Result | None) -> Entry:
    if result is None:
        return Entry(claim, (not_tested(f"no results of {claim.experiment} here"),), None)
    if result.rows is None or result.problem:
        return Entry(claim, (not_tested(result.problem),), result)
    findings = (_still_valid(finding, result) for finding in claim.findings(result.rows))
    return Entry(claim, tuple(findings), result)


def _still_valid(finding: Finding, result: Result) -> Finding:
    """The finding; where the rows do not decide it, why, and what a new measurement takes."""
    rows = result.file(".csv")
    void = VOID.get(hashlib.sha256(rows.read_bytes()).hexdigest()[:16]) if rows else None
    if void and void.case in f"{finding.case} {finding.unit}":
        finding = not_tested(void.why, finding.case)
    if finding.verdict != "not tested":
        return finding
    encoders = " --encoder FILE ..." if result.meta.get("encoders") else ""
    again = f"rrstyle evaluate {result.name} --images DIR{encoders} measures it anew"
    if minutes := _minutes(result):
        again += f", in about {minutes:g} processor minutes"
    return not_tested(f"{finding.detail}; {again}", finding.case)


def _minutes(result: Result) -> float:
    """Processor minutes of a run of the fixed budget, to two digits; 0 where none is recorded.

    Earlier records have wall time only, which counts for each of the workers.
    """
    wall, processor, workers = map(result.meta.get, ("wall_s", "processor_s", "workers"))
    if not isinstance(wall, int | float) or not isinstance(workers, int):
        return 0
    on_cpu = str(result.meta.get("device")).startswith("cpu")
    seconds = processor if on_cpu and isinstance(processor, int | float) else wall * workers
    budget, of_record = BUDGETS.get(result.name), result.meta.get("settings")
    steps = of_record.get("steps") if isinstance(of_record, Mapping) else None
    more = budget.settings.get("steps", steps) / steps if budget and steps else 1
    return float(f"{seconds * more / 60:.2g}")


def catalogue(results: Results) -> dict[str, Described]:
    """The experiments in words, with what their runs took."""
    found = {}
    for name in EXPERIMENTS:
        one = find_experiment(name)
        runs = [r for r in (*results.chosen.values(), *results.others) if r.name == name]
        runs = [run for run in runs if not run.problem and _minutes(run)]
        found[name] = Described(
            one.title,
            one.reproduces,
            one.printed,
            tuple(claim.id for claim in CLAIMS if claim.experiment == name),
            {run.scale: _minutes(run) for run in runs},
            {run.scale: str(run.meta.get("device")) for run in runs},
            {k: v for k, v in vars(one.settings["paper"]).items() if isinstance(v, int | float)},
        )
    return found
