"""The Reconstruct tab: what a random network keeps of a picture, and what it sees."""

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder

from apps.page.address import Setting
from apps.page.errors import in_words
from apps.page.settings import LARGEST_SEED, choices, field_help, whole
from apps.page.status import nothing_html, pictures_html, status_html
from apps.page.stylise import album as web_album
from apps.page.uploads import read_upload
from apps.page.widgets import QUIET, picture_input
from apps.service import jobs
from apps.service.limits import Limits
from recon import metrics
from recon.reconstruction import reconstruct, reconstruct_trained
from recon.training.config import TrainingConfig
from recon.training.record import read_config
from recon.training.run import load_run
from rrstyle import examples
from rrstyle.config import NetworkConfig
from rrstyle.networks.build import cnn_network
from rrstyle.networks.plan import ARCHITECTURES
from rrstyle.pictures.images import Picture, encode_png, fit_within, resize
from rrstyle.pictures.sheets import contact_sheet

SMALLEST_SIDE, LARGEST_SIDE, SIDE = 32, 384, 192
MOST_CHANNELS, LARGEST_KERNEL = 512, 11
# Unknowns of the ridge readout, channels x kernel x kernel: its matrix has their square.
MOST_UNKNOWNS = 12_000
MOST_MAPS, MAPS_A_ROW, MAP_SIDE = 48, 8, 96

READOUTS, UNTRAINED = ("random", "ridge"), "none"


@dataclass(frozen=True)
class Panel:
    """What the tab shows.

    Attributes:
        pictures: Input first, then what came back: (words, float32 (height, width, 3)).
        maps: Sheet of the features.
        line: Picture, network and settings of the measures in a line.
    """

    pictures: tuple[tuple[str, np.ndarray], ...]
    maps: np.ndarray
    line: str


def layer_names(architecture: str) -> list[str]:
    """Layers of an architecture, bottom up."""
    return [convolution.name for convolution in ARCHITECTURES[architecture].convolutions]


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


def check_network(
    architecture: Any,
    layer: Any,
    tap: Any,
    law: Any,
    std: Any,
    channels: Any,
    kernel: Any,
    upsampling: Any,
) -> NetworkConfig:
    """The networks that a client asks for.

    Args:
        channels, kernel: 0 for the architecture's own.

    Raises:
        ValueError: If a value breaks a rule, or the ridge readout would be too large.
    """
    channels = whole("channels", channels, 0, MOST_CHANNELS)
    kernel = whole("kernel", kernel, 0, LARGEST_KERNEL)
    config = NetworkConfig(
        architecture=architecture,
        layer=layer,
        tap=tap,
        law=law,
        std=std,
        channels=channels or None,
        kernel=kernel or None,
        upsampling=upsampling,
    )
    first = ARCHITECTURES[config.architecture].convolutions[0]
    unknowns = (channels or first.channels) * (kernel or first.kernel) ** 2
    if unknowns > MOST_UNKNOWNS:
        raise ValueError(
            f"channels x kernel x kernel must be at most {MOST_UNKNOWNS}, the unknowns of the ridge"
            f" readout; received {unknowns}"
        )
    return config


def make_panel(
    picture: Picture,
    config: NetworkConfig,
    *,
    side: int,
    seed: int,
    readouts: Sequence[str],
    run: Path | None = None,
) -> Panel:
    """Encodes a picture, decodes it by each readout, and measures how alike they are.

    Args:
        picture: Picture as it was read.
        config: The networks; where there is a run, its own are used.
        side: Longer side that the picture is brought to, in pixels.
        seed: Seed of the random weights.
        readouts: Names among READOUTS to show.
        run: Folder of a training whose DCN is shown too.

    Raises:
        ValueError: If the picture is too small for the networks, or the run is none.
        OSError: If a file of the run cannot be read.
    """
    image = resize(picture.pixels, fit_within(picture.pixels.shape[:2], side))
    pair = None if run is None else load_run(run, best=True)
    by = f"{config.law} weights, seed {seed}"
    if pair is not None:
        config = pair.config
        by = f"{pair.about['weights']} weights of {pair.name}, {pair.about['step']} steps"
    cnn = pair.encoder if pair else cnn_network(config, seed=seed)
    back: list[tuple[str, np.ndarray]] = []
    if readouts:
        found = reconstruct(image, config, seed=seed)
        back += [(f"{name} readout", getattr(found, name)) for name in readouts]
    if pair is not None:
        back.append(("trained DCN", reconstruct_trained(image, pair)))
    features = cnn.single(image)
    height, width, channels = features.shape
    line = (
        f"{picture.name}, {image.shape[1]} × {image.shape[0]}, {config.architecture} up to"
        f" {config.layer} ({config.tap.replace('_', ' ')}): {width} × {height} × {channels}"
        f" features; {by}. SSIM: {metrics.SSIM_SETTINGS}; Pearson: {metrics.PEARSON_SETTINGS}."
    )
    scored = [(f"{name} · {_scores(image, result)}", result) for name, result in back]
    return Panel((("input", image), *scored), feature_sheet(features), line)


def check_readouts(readouts: Any) -> tuple[str, ...]:
    """Which readouts to show, in their order.

    Raises:
        ValueError: If there is another than READOUTS.
    """
    if not isinstance(readouts, list) or any(name not in READOUTS for name in readouts):
        raise ValueError(f"readout must be among {', '.join(READOUTS)}; received {readouts!r}")
    return tuple(name for name in READOUTS if name in readouts)


def find_run(runs: Mapping[str, Path], name: Any) -> Path | None:
    """The folder of a run by its name; None for UNTRAINED.

    Raises:
        ValueError: If there is none of that name.
    """
    if name in (None, UNTRAINED):
        return None
    if not isinstance(name, str) or name not in runs:
        raise ValueError(f"run must be one of {', '.join((UNTRAINED, *runs))}; received {name!r}")
    return runs[name]


def feature_sheet(features: np.ndarray) -> np.ndarray:
    """The first maps of features side by side, each grey in its own range.

    Args:
        features: (rows, columns, channels).

    Returns:
        float32 image (height, width, 3) in [0, 1]: maps of at most MAP_SIDE pixels, small ones
        enlarged by whole factors, so that their pixels are seen.
    """
    maps = features[:, :, :MOST_MAPS].astype(np.float32)
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    grey = (maps - low) / np.where(high > low, high - low, 1)
    longest = max(grey.shape[:2])
    if longest <= MAP_SIDE:
        factor = MAP_SIDE // longest
        tiles = np.repeat(np.repeat(grey, factor, axis=0), factor, axis=1)
        pictures = [np.repeat(tiles[:, :, i, None], 3, axis=2) for i in range(tiles.shape[2])]
    else:
        size = fit_within(grey.shape[:2], MAP_SIDE)
        colours = [np.repeat(grey[:, :, i, None], 3, axis=2) for i in range(grey.shape[2])]
        pictures = [resize(picture, size) for picture in colours]
    starts = range(0, len(pictures), MAPS_A_ROW)
    return contact_sheet([pictures[start : start + MAPS_A_ROW] for start in starts])


def _scores(image: np.ndarray, result: np.ndarray) -> str:
    both = [metrics.luminance(x[None]) for x in (image, result)]
    ssim, pearson = metrics.ssim(*both)[0], metrics.pearson(*both)[0]
    return f"SSIM {_shown(ssim)} · Pearson {_shown(pearson)}"


def _shown(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.4f}"


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
        limits: Limits of the server.
        files: The built-in pictures by name.
        runs: Folders of trained DCNs by name.

    Returns:
        The controls whose values the address keeps.
    """
    hints = field_help(NetworkConfig)
    layers = layer_names(_DEFAULTS.architecture)
    with gr.Row(elem_classes="sides"):
        with gr.Column(scale=2, min_width=320):
            picture = picture_input("Picture", examples.PHOTOGRAPHS, files, examples.PHOTOGRAPHS[0])
            with gr.Row():
                architecture = _radio("architecture", "Architecture", hints)
                layer = gr.Dropdown(
                    layers, value=_DEFAULTS.layer, label="Layer", info=hints["layer"], min_width=140
                )
            readouts = gr.CheckboxGroup(
                list(READOUTS),
                value=list(READOUTS),
                label="Readout",
                info="The DCN's last layer: random, or solved in closed form on this picture.",
            )
            run = gr.Dropdown(
                [UNTRAINED, *runs],
                value=UNTRAINED,
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
                    SMALLEST_SIDE,
                    LARGEST_SIDE,
                    value=SIDE,
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

    @in_words
    def answer(request: gr.Request, value: Any, *values: Any) -> Iterator[tuple]:
        yield from _answer(runs, limits, value, values)

    architecture.change(layers_of, [architecture], [layer], **QUIET)
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
        Setting("channels", channels, high=MOST_CHANNELS),
        Setting("kernel", kernel, high=LARGEST_KERNEL),
        Setting("side", side, low=SMALLEST_SIDE, high=LARGEST_SIDE),
        Setting("weights", seed, high=LARGEST_SEED),
    ]


def layers_of(architecture: Any) -> gr.Dropdown:
    """The layers of an architecture to choose from."""
    names = layer_names(architecture)
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
    config = check_network(*network)
    side = whole("size", side, SMALLEST_SIDE, LARGEST_SIDE)
    seed = whole("seed", seed, 0, LARGEST_SEED)
    shown, folder = check_readouts(readouts), find_run(runs, run)
    picture = read_upload(value, "picture")
    found: list[Panel] = []

    def work(report: Any, heed_stop: Any) -> None:
        report(jobs.Progress("reconstructing", 0.0, None))
        found.append(make_panel(picture, config, side=side, seed=seed, readouts=shown, run=folder))

    held = picture.pixels.nbytes
    for report in jobs.run_work(work, threading.Event(), limits, held=held):
        if isinstance(report, jobs.Progress):
            yield status_html(report.stage.capitalize(), report.fraction), gr.skip(), gr.skip()
    (panel,) = found
    album = web_album.new_album(Path(get_upload_folder()))
    shown_at = []
    for words, image in panel.pictures:
        album, path = web_album.add_file(album, "reconstruction", encode_png(image))
        shown_at.append((words, path))
    _, maps = web_album.add_file(album, "features", encode_png(panel.maps))
    line = status_html(" ".join([panel.line, *picture.notes]))
    yield line, pictures_html(shown_at), gr.Image(value=str(maps), visible=True)
