"""Findings on a claim: a verdict by a rule that was set before the rows were seen."""

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import pandas as pd

from recon.claims.rules import RULES, SETTLED, Rule
from recon.statistics import Interval

Verdict = Literal["holds", "fails", "undecided", "not testable", "not tested"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the rows say of a claim, in one of its cases."""

    verdict: Verdict  # "holds" or "fails" only where the whole interval lies on one side
    case: str = ""  # words that name the networks; empty where there is only one case
    effect: Interval | None = None  # what the rule looks at; None where it was not measured
    unit: str = ""
    detail: str = ""  # the numbers behind it, or why there is no verdict
    # Steps of trainings and the finding after each, over the last half of them.
    course: "tuple[tuple[int, Finding], ...]" = ()


Evaluate: TypeAlias = Callable[[pd.DataFrame], Iterable[Finding]]


@dataclass(frozen=True)
class Evidence:
    """What decides a claim; `evaluate` raises ValueError, one line, where rows do not suffice."""

    experiment: str  # its rows decide
    columns: tuple[str, ...]  # those that are read
    evaluate: Evaluate


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence of the papers that rows can bear out or refute."""

    id: str  # such as "C8"
    words: str
    paper: str  # words or numbers of the papers, with the place
    evidence: Evidence  # what decides it

    @property
    def experiment(self) -> str:
        """Name of the experiment whose rows decide it."""
        return self.evidence.experiment

    @property
    def rule(self) -> Rule:
        """When it holds."""
        return RULES[self.id]

    def findings(self, rows: pd.DataFrame) -> list[Finding]:
        """At least one finding: "not tested" where the rows lack what is needed."""
        if missing := [name for name in self.evidence.columns if name not in rows]:
            return [not_tested(f"{self.experiment}.csv has no column {', '.join(missing)}")]
        try:
            found = list(self.evidence.evaluate(rows))
        except ValueError as error:
            return [not_tested(str(error))]
        return found or [not_tested("the rows hold none of the networks that the claim is of")]


def not_tested(why: str, case: str = "") -> Finding:
    """A finding without a measurement."""
    return Finding(verdict="not tested", case=case, detail=why)


def not_testable(why: str, case: str = "") -> Finding:
    """A finding of rows that cannot tell, whatever their intervals."""
    return Finding(verdict="not testable", case=case, detail=why)


def above(interval: Interval, threshold: float) -> Verdict:
    """Whether a quantity is claimed rightly to be above a threshold."""
    if interval.low > threshold:
        return "holds"
    return "fails" if interval.high < threshold else "undecided"


def below(interval: Interval, threshold: float) -> Verdict:
    """Whether a quantity is claimed rightly to be below a threshold."""
    return above(interval.negated(), -threshold)


def inside(interval: Interval, low: float, high: float) -> Verdict:
    """Whether a quantity is claimed rightly to be between two values."""
    if interval.low > low and interval.high < high:
        return "holds"
    return "fails" if interval.high < low or interval.low > high else "undecided"


def judged(
    rule: Callable[..., Verdict],
    effect: Interval,
    *thresholds: float,
    case: str,
    unit: str,
    detail: str = "",
) -> Finding:
    """The verdict of `rule` (above, below, inside) on an effect.

    Where nothing is decided, the detail begins with what stands in the way.
    """
    verdict = rule(effect, *thresholds)
    if verdict == "undecided":
        if effect.bounded:
            why = f"the interval reaches across {' or '.join(f'{t:g}' for t in thresholds)}"
        elif effect.networks < 2:
            why = f"too few networks for an interval ({effect.networks})"
        else:
            why = "no bounded interval at this scale"
        detail = f"{why}; {detail}" if detail else why
    return Finding(verdict=verdict, case=case, effect=effect, unit=unit, detail=detail)


def settled(evaluate: Evaluate) -> Evaluate:
    """Findings after the last step of trainings, where its last half leaves their verdicts.

    `evaluate` judges rows that have a column "step" by the last of these.
    """

    def judge(rows: pd.DataFrame) -> Iterable[Finding]:
        last = rows["step"].max()
        courses: dict[str, list[tuple[int, Finding]]] = {}
        for step in sorted(rows["step"].unique()):
            if step >= SETTLED * last:
                for found in evaluate(rows[rows["step"] <= step]):
                    courses.setdefault(found.case, []).append((step, found))
        return map(_settled, courses.values())

    return judge


def _settled(course: list[tuple[int, Finding]]) -> Finding:
    steps, findings = zip(*course, strict=True)
    end = replace(findings[-1], course=tuple(zip(steps, findings, strict=True)))
    if end.effect is None:
        return end
    if len(course) < 2:
        why = f"the last half of the {steps[-1]} steps has one row, which cannot show a change"
    elif len({found.verdict for found in findings}) > 1:
        runs = itertools.groupby(course, key=lambda point: point[1].verdict)
        told = ", ".join(f"{verdict} from step {next(points)[0]}" for verdict, points in runs)
        why = f"the verdict still changes: {told} of {steps[-1]}"
    else:
        return end
    return replace(end, verdict="not testable", detail=f"{why}; {end.detail}".rstrip("; "))


def number(value: float) -> str:
    """Three decimals with a true minus sign."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.3f}".replace("-", "−").replace("−0.000", "0.000")


def interval_text(interval: Interval) -> str:
    """An estimate and its interval: "0.120 [0.100, 0.140]"."""
    ends = f"{number(interval.low)}, {number(interval.high)}" if interval.bounded else "no interval"
    return f"{number(interval.estimate)} [{ends}]"
