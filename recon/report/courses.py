"""Verdicts on trained DCNs as a function of the steps, drawn."""

import textwrap
from collections.abc import Iterable

from matplotlib.figure import Figure

from recon.claims.entries import Entry
from recon.claims.verdicts import Verdict

_COLUMNS = 4
_COLOURS: dict[Verdict, str] = {"holds": "C2", "fails": "C1", "undecided": "0.5"}


def courses(entries: Iterable[Entry]) -> Figure | None:
    """A panel for each case with a course: its effect after each step, with its interval.

    The colour is that of the verdict after the step. None where no finding has a course.
    """
    found = [(e.claim.id, one) for e in entries for one in e.findings if one.course]
    if not found:
        return None
    lines = -(-len(found) // _COLUMNS)
    figure = Figure(figsize=(13, 2.8 * lines), layout="constrained")
    panels = figure.subplots(lines, _COLUMNS, squeeze=False).flat
    for axes, (claim, finding) in zip(panels, found, strict=False):
        measured = [(step, at.effect, at.verdict) for step, at in finding.course if at.effect]
        for step, effect, verdict in measured:
            colour = _COLOURS[verdict]
            axes.plot(step, effect.estimate, "o", color=colour)
            if effect.bounded:
                axes.plot((step, step), (effect.low, effect.high), color=colour)
        if all(effect.low > 0 for _, effect, _ in measured):
            axes.set_yscale("log")
        axes.set_title(f"{claim}: {finding.case}", fontsize=9)
        axes.tick_params(which="both", labelsize=7)
        axes.set_ylabel("\n".join(textwrap.wrap(finding.unit, 30)), fontsize=7)
    for axes in panels:
        axes.set_axis_off()
    for verdict, colour in _COLOURS.items():
        figure.axes[0].plot([], [], "o-", color=colour, label=verdict)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    figure.supxlabel("steps", fontsize=9)
    return figure
