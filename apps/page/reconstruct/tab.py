"""The Reconstruct tab: what a random network keeps of a picture."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from apps.page.address import Setting
from apps.page.errors import said
from apps.page.reconstruct import handlers as answers
from apps.page.settings import LARGEST_SEED, choices, field_help, whole
from apps.page.status import nothing_html, pictures_html, status_html
from apps.page.stylise import album as web_album
from apps.page.uploads import read_upload
from apps.page.widgets import QUIET, picture_input
from apps.service import jobs
from apps.service.limits import Limits
from rrstyle import examples
from rrstyle.config import NetworkConfig
from rrstyle.pictures import images

_DEFAULTS = NetworkConfig(layer="conv1_2")
_IDLE = "Choose a picture and a network, then press Reconstruct."
_EMPTY = nothing_html("What the network gives back appears here.")
_SIZES = (0, 4, 8, 16, 32, 64, 128, 256, 512)
_KERNELS = (0, 1, 3, 5, 7, 9, 11)


def reconstruct_tab(
    limits: Limits, files: Mapping[str, Path], runs: Mapping[str, Path]
) -> list[Setting]:
    """The tab's widgets and what they do.

    Args:
        limits: Of the server.
        files: The built-in pictures by name.
        runs: Folders of trained DCNs by name.

    Returns:
        The controls whose values the address keeps.
    """
    hints = field_help(NetworkConfig)
    layers = answers.layer_names(_DEFAULTS.architecture)
    with gr.Row(elem_classes="sides"):
        with gr.Column(scale=2, min_width=320):
            picture = picture_input("Picture", examples.PHOTOGRAPHS, files, examples.PHOTOGRAPHS[0])
            with gr.Row():
                architecture = _radio("architecture", "Architecture", hints)
                layer = gr.Dropdown(
                    layers, value=_DEFAULTS.layer, label="Layer", info=hints["layer"], min_width=140
                )
            readouts = gr.CheckboxGroup(
                list(answers.READOUTS),
                value=list(answers.READOUTS),
                label="Readout",
                info="The DCN's last layer: random, or solved in closed form on this picture.",
            )
            run = gr.Dropdown(
                [answers.UNTRAINED, *runs],
                value=answers.UNTRAINED,
                label="Trained DCN",
                info="A training run of the server; its own network replaces the one chosen here.",
                visible=bool(runs),
            )
            with gr.Accordion("More settings", open=False):
                tap = _radio("tap", "Tap", hints)
                upsampling = _radio("upsampling", "Upsampling", hints)
                law = gr.Dropdown(
                    list(choices(NetworkConfig, "law")),
                    value=_DEFAULTS.law,
                    label="Law",
                    info=hints["law"],
                )
                std = gr.Number(
                    _DEFAULTS.std, label="Standard deviation", info=hints["std"], minimum=1e-6
                )
                with gr.Row():
                    channels = gr.Dropdown(
                        [("the architecture's own", 0), *((str(n), n) for n in _SIZES[1:])],
                        value=0,
                        label="Channels",
                        info="Of every layer.",
                        min_width=140,
                    )
                    kernel = gr.Dropdown(
                        [("the architecture's own", 0), *((f"{n} × {n}", n) for n in _KERNELS[1:])],
                        value=0,
                        label="Kernel",
                        info="Size of every filter.",
                        min_width=140,
                    )
                side = gr.Slider(
                    answers.SMALLEST_SIDE,
                    answers.LARGEST_SIDE,
                    value=answers.SIDE,
                    step=16,
                    label="Size",
                    info="Longer side of the picture in pixels.",
                    buttons=[],
                )
                seed = gr.Number(
                    0,
                    precision=0,
                    minimum=0,
                    maximum=LARGEST_SEED,
                    label="Seed",
                    info="Names the random weights.",
                )
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

    def answer(request: gr.Request, value: Any, *values: Any) -> Iterator[tuple]:
        try:
            yield from _answer(runs, limits, value, values)
        except Exception as error:
            raise said(error) from None

    architecture.change(
        layers_of,
        [architecture],
        [layer],
        **QUIET,
    )
    asked = [architecture, layer, tap, law, std, channels, kernel, upsampling]
    go.click(
        answer,
        [picture, readouts, run, side, seed, *asked],
        [status, pictures, maps],
        preprocess=False,
        show_progress="hidden",
        concurrency_id="jobs",
        concurrency_limit=limits.handlers,  # apps.service.jobs has the queue
        api_visibility="private",
    )
    return [
        Setting("architecture", architecture, choices(NetworkConfig, "architecture")),
        Setting("tap", tap, choices(NetworkConfig, "tap")),
        Setting("upsampling", upsampling, choices(NetworkConfig, "upsampling")),
        Setting("law", law, choices(NetworkConfig, "law")),
        Setting("std", std, low=1e-6, high=1e6),
        Setting("channels", channels, high=answers.MOST_CHANNELS),
        Setting("kernel", kernel, high=answers.LARGEST_KERNEL),
        Setting("side", side, low=answers.SMALLEST_SIDE, high=answers.LARGEST_SIDE),
        Setting("weights", seed, high=LARGEST_SEED),
    ]


def layers_of(architecture: Any) -> gr.Dropdown:
    """The layers of an architecture to choose from."""
    names = answers.layer_names(architecture)
    return gr.Dropdown(names, value=names[min(1, len(names) - 1)])


def _radio(name: str, label: str, hints: Mapping[str, str]) -> gr.Radio:
    return gr.Radio(
        list(choices(NetworkConfig, name)),
        value=getattr(_DEFAULTS, name),
        label=label,
        info=hints[name],
        min_width=180,
    )


def _answer(runs: Mapping[str, Path], limits: Limits, value: Any, values: tuple) -> Iterator[tuple]:
    readouts, run, side, seed, *network = values
    config = answers.check_network(*network)
    side = whole("size", side, answers.SMALLEST_SIDE, answers.LARGEST_SIDE)
    seed = whole("seed", seed, 0, LARGEST_SEED)
    shown, folder = answers.check_readouts(readouts), answers.find_run(runs, run)
    picture = read_upload(value, "picture")
    found: list[answers.Panel] = []

    def work(report: Any, heed_stop: Any) -> None:
        report(jobs.Progress("reconstructing", 0.0, None))
        panel = answers.panel(picture, config, side=side, seed=seed, readouts=shown, run=folder)
        found.append(panel)

    held = picture.pixels.nbytes
    for report in jobs.run_work(work, threading.Event(), limits, held=held):
        if isinstance(report, jobs.Progress):
            yield status_html(report.stage.capitalize(), report.fraction), gr.skip(), gr.skip()
    (panel,) = found
    album = web_album.new_album(Path(get_upload_folder()))
    shown_at = []
    for words, image in panel.pictures:
        album, path = web_album.add_file(album, "reconstruction", images.encode_png(image))
        shown_at.append((words, path))
    _, maps = web_album.add_file(album, "features", images.encode_png(panel.maps))
    line = status_html(" ".join([panel.line, *picture.notes]))
    yield line, pictures_html(shown_at), gr.Image(value=str(maps), visible=True)
