"""The claims beside the results: one entry each, tested or not."""

from dataclasses import dataclass

from recon.claims.register import CLAIMS
from recon.claims.verdicts import Claim, Finding, not_tested
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
    if claim.experiment and result is None:
        return Entry(claim, (not_tested(f"no results of {claim.experiment} here"),), None)
    if result is None or result.rows is None or result.problem:
        return Entry(claim, (not_tested(result.problem if result else claim.rule),), result)
    return Entry(claim, tuple(claim.findings(result.rows)), result)
