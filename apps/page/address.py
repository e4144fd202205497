"""Settings in the page's address: they survive a reload, and two tabs have their own.

The browser writes them, the server reads and checks them when the page is opened.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

TAB = "tab"
_RESTORED = "() => { window.rrstyleRestored = true; return []; }"


@dataclass(frozen=True)
class Setting:
    """A control whose value is kept: its name in the address, and which values are good.

    Attributes:
        name: Name in the address.
        control: A Gradio component that holds text, a number or a yes or no.
        choices: Good texts; None for a number or a yes or no.
        low, high: Bounds of a number.
    """

    name: str
    control: Component
    choices: tuple[str, ...] | None = None
    low: float = 0
    high: float = 1

    def parse(self, text: str) -> Any:
        """The value in a text; None if it is no good one."""
        default = self.control.value
        if self.choices is not None:
            return text if text in self.choices else None
        if isinstance(default, bool):
            return {"true": True, "false": False}.get(text)
        try:
            number = float(text)
        except ValueError:
            return None
        if not self.low <= number <= self.high:  # nor is NaN
            return None
        return int(number) if isinstance(default, int) else number


def keep_in_address(
    app: gr.Blocks, settings: Sequence[Setting], box: gr.Tabs, tabs: Sequence[gr.Tab]
) -> None:
    """Writes settings and tab to the address as they change, and reads them when a page opens.

    Args:
        app: The page.
        settings: Settings that the address keeps.
        box: Widget that holds the tabs.
        tabs: Tabs with an id each; a page opens at the first.
    """
    controls = [setting.control for setting in settings]
    defaults = [setting.control.value for setting in settings]
    known = [str(tab.id) for tab in tabs]

    def restore(request: gr.Request) -> list:
        query = dict(request.query_params)
        wanted = query.get(TAB)
        opened = gr.Tabs(selected=wanted) if wanted in known[1:] else gr.skip()
        return [*read_address(settings, query), opened]

    restored = app.load(
        restore,
        None,
        [*controls, box],
        queue=False,
        api_visibility="private",
        show_progress="hidden",
    )
    restored.then(None, None, None, js=_RESTORED, api_visibility="private")
    gr.on(
        [control.change for control in controls],  # type: ignore[attr-defined]
        None,
        controls,
        None,
        js=_writer([setting.name for setting in settings], defaults),
        api_visibility="private",
    )
    for tab, name in zip(tabs, known, strict=True):
        write = f"({_writer([TAB], [known[0]])})({name!r})"
        # The first tab is selected as the page is built, before the address has been read.
        js = f"() => window.rrstyleRestored ? {write} : []"
        tab.select(None, None, None, js=js, api_visibility="private")


def read_address(settings: Sequence[Setting], query: Mapping[str, str]) -> list:
    """The value of each setting in an address; one that is missing or no good is left alone."""
    values = [setting.parse(query.get(setting.name, "")[:100]) for setting in settings]
    return [gr.skip() if value is None else value for value in values]


def _writer(names: Sequence[str], defaults: Sequence[Any]) -> str:
    """JavaScript: only what differs from the defaults stands in the address."""
    return f"""(...values) => {{
        const names = {json.dumps(list(names))}, defaults = {json.dumps(list(defaults))};
        const query = new URLSearchParams(location.search);
        names.forEach((name, i) => {{
            if (values[i] === defaults[i] || values[i] === null) query.delete(name);
            else query.set(name, values[i]);
        }});
        const text = query.toString();
        history.replaceState(null, "", location.pathname + (text ? "?" + text : ""));
        return [];
    }}"""
