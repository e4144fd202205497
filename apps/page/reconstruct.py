"""The Reconstruct tab: what a random network keeps of a picture, and what it sees."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component

from apps.page.errors import in_words
from apps.page.settings import LARGEST_SEED, whole
from apps.page.status import nothing_html, pictures_html, status_html
from apps.page.uploads import read_upload
from apps.page.widgets import PRIVATE, QUIET, of_field, picture_input, queued, seed_input, slider
from apps.panel import MEASURES, Panel, make_panel
from apps.service import jobs, owners
from apps.service.limits import Limits
from recon.training.config import TrainingConfig
from recon.training.record import read_config
from rrstyle import examples
from rrstyle.config import NetworkConfig
from rrstyle.networks.plan import ARCHITECTURES
from rrstyle.pictures.images import Picture, encode_png, fit_within, resize
from rrstyle.pictures.sheets import contact_sheet

SMALLEST_SIDE, LARGEST_SIDE, SIDE = 32, 384, 192
MOST_CHANNELS, LARGEST_KERNEL = 512, 11
# Unknowns of the ridge readout, channels x kernel x kernel: its matrix has their square.
MOST_UNKNOWNS = 12_000
MOST_MAPS, MAPS_A_ROW, MAP_SIDE = 48, 8, 96

READOUTS, UNTRAINED = ("random", "ridge"), "none"


def run_folders(folder: Path | None) -> dict[str, Path]:
    """Runs that trained a DCN, by name: the folder itself, or its subfolders that are such."""
    if folder is None:
        return {}
    found = {}
    for path in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        try:
            read_config(TrainingConfig, path)
        except (ValueError, OSError):
            continue  # another kind of run, or none
        found[path.name] = path.absolute()
    return found


def panel_maker(
    runs: Mapping[str, Path], readouts: Any, size: Any, seed: Any, run: Any, **network: Any
) -> Callable[[Picture], Panel]:
    """`make_panel` with a client's settings; ValueError if one of them breaks a rule.

    Args:
        runs: Folders of trained DCNs by name.
        readouts: List of names among READOUTS.
        run: Name of a run; UNTRAINED or None for none.
        network: Arguments of `check_network`.
    """
    return partial(
        make_panel,
        config=check_network(**network),
        side=whole("size", size, SMALLEST_SIDE, LARGEST_SIDE),
        seed=whole("seed", seed, 0, LARGEST_SEED),
        readouts=check_readouts(readouts),
        run=find_run(runs, run),
    )


def check_network(channels: Any, kernel: Any, **others: Any) -> NetworkConfig:
    """The networks that a client asks for; channels and kernel 0 for the architecture's own.

    ValueError if a value breaks a rule, or the ridge readout would be too large.
    """
    channels = whole("channels", channels, 0, MOST_CHANNELS)
    kernel = whole("kernel", kernel, 0, LARGEST_KERNEL)
    config = NetworkConfig(channels=channels or None, kernel=kernel or None, **others)
    first = ARCHITECTURES[config.architecture].convolutions[0]
    unknowns = (channels or first.channels) * (kernel or first.kernel) ** 2
    if unknowns > MOST_UNKNOWNS:
        raise ValueError(
            f"channels x kernel x kernel must be at most {MOST_UNKNOWNS}, the unknowns of the ridge"
            f" readout; received {unknowns}"
        )
    return config


def check_readouts(readouts: Any) -> tuple[str, ...]:
    """Which readouts to show, in the order of READOUTS; ValueError for any other name."""
    if not isinstance(readouts, list) or any(name not in READOUTS for name in readouts):
        raise ValueError(f"readout must be among {', '.join(READOUTS)}; received {readouts!r}")
    return tuple(name for name in READOUTS if name in readouts)


def find_run(runs: Mapping[str, Path], name: Any) -> Path | None:
    """The folder of a run by its name, None for UNTRAINED; ValueError for any other name."""
    if name in (None, UNTRAINED):
        return None
    if not isinstance(name, str) or name not in runs:
        raise ValueError(f"run must be one of {', '.join((UNTRAINED, *runs))}; received {name!r}")
    return runs[name]


def shown_pictures(panel: Panel) -> dict[str, np.ndarray]:
    """The input, then what came back, by words for people."""
    words = {name: f"{name} · SSIM {s} · Pearson {p}" for name, (s, p) in panel.scores.items()}
    return {"input": panel.image} | {words[name]: image for name, image in panel.back.items()}


def panel_line(panel: Panel, picture: Picture) -> str:
    """Picture, networks, settings of the measures and notes in a line."""
    (height, width, _), (rows, columns, channels) = panel.image.shape, panel.features.shape
    config = panel.config
    line = (
        f"{picture.name}, {width} × {height}, {config.architecture} up to {config.layer}"
        f" ({config.tap.replace('_', ' ')}): {columns} × {rows} × {channels} features;"
        f" {panel.weights}. {MEASURES}."
    )
    return " ".join([line, *picture.notes])


def feature_sheet(features: np.ndarray) -> np.ndarray:
    """The first maps of features (rows, columns, channels), side by side, each in its own range.

    Returns:
        float32 image (height, width, 3) in [0, 1]: grey maps of at most MAP_SIDE pixels, small ones
        enlarged by whole factors, so that their pixels are seen.
    """
    maps = features[:, :, :MOST_MAPS].astype(np.float32)
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    grey = (maps - low) / np.where(high > low, high - low, 1)
    pictures = list(np.repeat(np.moveaxis(grey, 2, 0)[..., None], 3, axis=3))
    if factor := MAP_SIDE // max(grey.shape[:2]):
        pictures = [picture.repeat(factor, axis=0).repeat(factor, axis=1) for picture in pictures]
    else:
        size = fit_within(grey.shape[:2], MAP_SIDE)
        pictures = [resize(picture, size) for picture in pictures]
    starts = range(0, len(pictures), MAPS_A_ROW)
    return contact_sheet([pictures[start : start + MAPS_A_ROW] for start in starts])


_DEFAULTS = NetworkConfig(layer="conv1_2")
_IDLE = "Choose a picture and a network, then press Reconstruct."
_EMPTY = nothing_html("What the network gives back appears here.")
_OWN = {
    "channels": ([(str(n), n) for n in (4, 8, 16, 32, 64, 128, 256, 512)], "Of every layer."),
    "kernel": ([(f"{n} × {n}", n) for n in (1, 3, 5, 7, 9, 11)], "Size of every filter."),
}


def reconstruct_tab(
    limits: Limits, files: Mapping[str, Path], runs: Mapping[str, Path]
) -> dict[str, Component]:
    """The tab's widgets and what they do, with built-in pictures and trained DCNs by name.

    The controls whose values the address keeps are returned, by their names there.
    """
    asked: dict[str, Any] = {}
    with gr.Row(elem_classes="sides"):
        with gr.Column(scale=2, min_width=320):
            picture = picture_input("Picture", examples.PHOTOGRAPHS, files, examples.PHOTOGRAPHS[0])
            with gr.Row():
                asked["architecture"] = of_field(gr.Radio, _DEFAULTS, "architecture", min_width=180)
                layers = layer_names(_DEFAULTS.architecture)
                asked["layer"] = of_field(
                    gr.Dropdown, _DEFAULTS, "layer", choices=layers, min_width=140
                )
            asked["readouts"] = gr.CheckboxGroup(
                list(READOUTS),
                value=list(READOUTS),
                label="Readout",
                info="The DCN's last layer: random, or solved in closed form on this picture.",
            )
            asked["run"] = gr.Dropdown(
                [UNTRAINED, *runs],
                value=UNTRAINED,
                label="Trained DCN",
                info="A training run of the server; its own network replaces the one chosen here.",
                visible=bool(runs),
            )
            with gr.Accordion("More settings", open=False):
                for name in ("tap", "upsampling"):
                    asked[name] = of_field(gr.Radio, _DEFAULTS, name, min_width=180)
                asked["law"] = of_field(gr.Dropdown, _DEFAULTS, "law")
                bounds = {"minimum": 1e-6, "maximum": 1e6}
                asked["std"] = of_field(
                    gr.Number, _DEFAULTS, "std", label="Standard deviation", **bounds
                )
                with gr.Row():
                    for name, (sizes, info) in _OWN.items():
                        asked[name] = gr.Dropdown(
                            [("the architecture's own", 0), *sizes],
                            value=0,
                            label=name.capitalize(),
                            info=info,
                            min_width=140,
                        )
                info = "Longer side of the picture in pixels."
                asked["size"] = slider(
                    SMALLEST_SIDE, LARGEST_SIDE, 16, value=SIDE, label="Size", info=info
                )
                asked["seed"] = seed_input("Names the random weights.")
        with gr.Column(scale=3, min_width=320, elem_classes="stage"):
            go = gr.Button("Reconstruct", variant="primary", elem_id="reconstruct")
            status = gr.HTML(status_html(_IDLE), elem_id="reconstruct-job")
            pictures = gr.HTML(_EMPTY, elem_id="reconstructions")
            maps = gr.Image(
                label="Feature maps, each in its own range",
                format="png",
                type="filepath",
                interactive=False,
                buttons=["fullscreen", "download"],
                alt_text="The first feature maps of the network, side by side in grey",
                visible=False,
                elem_id="maps",
            )

    @in_words
    def answer(value: Any, *values: Any) -> Iterator[tuple]:
        make = panel_maker(runs, **dict(zip(asked, values, strict=True)))
        read = read_upload(value, "picture")
        work = partial(make, read)
        for report in jobs.run_one("reconstructing", work, limits, held=read.pixels.nbytes):
            if isinstance(report, jobs.Progress):
                yield status_html(report.stage.capitalize(), report.fraction), gr.skip(), gr.skip()
            else:
                panel = report
        yield _panel_shown(read, panel)

    plan = [asked["architecture"], asked["layer"]]
    plan[0].input(layers_of, plan, plan[1:], **QUIET)
    go.click(
        answer, [picture, *asked.values()], [status, pictures, maps], **PRIVATE, **queued(limits)
    )
    kept = ("architecture", "layer", "tap", "upsampling", "law", "std", "channels", "kernel")
    return {name: asked[name] for name in kept} | {"side": asked["size"], "weights": asked["seed"]}


def layer_names(architecture: str) -> list[str]:
    """Layers of an architecture, bottom up."""
    return [convolution.name for convolution in ARCHITECTURES[architecture].convolutions]


def layers_of(architecture: Any, layer: Any) -> gr.Dropdown:
    """The layers of an architecture to choose from; `layer` stays if it is one of them."""
    names = layer_names(architecture)
    return gr.Dropdown(names, value=layer if layer in names else names[1])


def _panel_shown(picture: Picture, panel: Panel) -> tuple:
    """Status, pictures and feature maps of the tab."""
    folder = owners.own_folder()
    shown = []
    for number, (words, image) in enumerate(shown_pictures(panel).items()):
        path = folder / f"{number}-reconstruction.png"
        path.write_bytes(encode_png(image))
        shown.append((words, path))
    maps = folder / "features.png"
    maps.write_bytes(encode_png(feature_sheet(panel.features)))
    line = status_html(panel_line(panel, picture))
    return line, pictures_html(shown), gr.Image(value=str(maps), visible=True)
