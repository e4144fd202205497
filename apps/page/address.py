"""Controls in the page's address: they survive a reload, and two tabs have their own.

The browser writes them; the server reads and checks them when the page is opened.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

TAB = "tab"
_RESTORED = "() => { window.rrstyleRestored = true; return []; }"


def keep_in_address(
    app: gr.Blocks, controls: Mapping[str, Component], box: gr.Tabs, tabs: Sequence[gr.Tab]
) -> Dependency:
    """Writes controls and tab to the address as they change, and reads them when a page opens.

    Args:
        controls: Controls by their names in the address.
        box, tabs: The widget that holds the tabs, and these, with an id each.

    Returns:
        The event of having read them.
    """
    widgets = list(controls.values())
    known = [str(tab.id) for tab in tabs]

    def restore(request: gr.Request) -> list:
        query = dict(request.query_params)
        wanted = query.get(TAB)
        opened = gr.Tabs(selected=wanted) if wanted in known[1:] else gr.skip()
        return [*read_address(controls, query), opened]

    restored = app.load(
        restore,
        None,
        [*widgets, box],
        queue=False,
        api_visibility="private",
        show_progress="hidden",
    )
    restored.then(None, None, None, js=_RESTORED, api_visibility="private")
    gr.on(
        [widget.change for widget in widgets],  # type: ignore[attr-defined]
        None,
        widgets,
        None,
        js=_writer(list(controls), [widget.value for widget in widgets]),
        api_visibility="private",
    )
    for tab, name in zip(tabs, known, strict=True):
        write = f"({_writer([TAB], [known[0]])})({name!r})"
        # The first tab is selected as the page is built, before the address has been read.
        js = f"() => window.rrstyleRestored ? {write} : []"
        tab.select(None, None, None, js=js, api_visibility="private")
    return restored


def read_address(controls: Mapping[str, Component], query: Mapping[str, str]) -> list:
    """The value of each control in an address; one that is missing or no good is left alone."""
    values = [_parse(widget, query.get(name, "")[:100]) for name, widget in controls.items()]
    return [gr.skip() if value is None else value for value in values]


def _parse(control: Any, text: str) -> Any:
    """The value that a control has in a text; None if it cannot have it."""
    if isinstance(control, gr.Radio | gr.Dropdown):
        return {str(value): value for _, value in control.choices}.get(text)
    if isinstance(control, gr.Checkbox):
        return {"true": True, "false": False}.get(text)
    try:
        number = float(text)
    except ValueError:
        return None
    if not control.minimum <= number <= control.maximum:  # nor is NaN
        return None
    return int(number) if isinstance(control.value, int) else number


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
