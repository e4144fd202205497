"""The named endpoints of the API, for programs: typed, and documented by their docstrings.

Files go in as uploads (`gradio_client.handle_file`) or as names of built-in pictures, and come back
as PNG files. Values are checked as in the app; an error is one line.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components.api_component import Api
from gradio.context import get_blocks_context
from gradio.data_classes import FileData
from gradio.utils import get_function_description

from apps.page import reconstruct as reconstruct_tab
from apps.page import settings as web_settings
from apps.page.errors import in_words
from apps.page.settings import check_settings
from apps.page.uploads import read_upload, read_upload_recipe
from apps.page.widgets import queued
from apps.service import jobs, owners, uploads
from apps.service.limits import Limits
from rrstyle import examples
from rrstyle.config import NetworkConfig, is_number, to_dict
from rrstyle.durable import write_whole
from rrstyle.pictures import images
from rrstyle.presets import PRESETS
from rrstyle.transfer.blends import MOST_STYLES

_DEFAULTS, _NETWORK = web_settings.DEFAULTS, NetworkConfig()


def add_api(limits: Limits, runs: Mapping[str, Path]) -> None:
    """Adds the endpoints to the Blocks being built; `runs` are trained DCNs by name."""

    @in_words
    def stylise(
        content: FileData | str,
        styles: list[FileData | str],
        weights: list[float] | None = None,
        method: str = _DEFAULTS.method,
        strength: float = _DEFAULTS.strength,
        wildness: float = _DEFAULTS.wildness,
        keep_colours: bool = _DEFAULTS.keep_colours,
        style_scale: float = _DEFAULTS.style_scale,
        size: int = _DEFAULTS.side,
        variants: int = 1,
        seed: int = 0,
        mask: FileData | None = None,
    ) -> Iterator[list[FileData]]:
        """Paints a photograph in the style of one to four pictures.

        Gives the pictures done so far, first none, and again with each new one; each carries its
        recipe. A cancelled job ends at once before its first picture, later at its next picture.

        Args:
            content: The photograph: an upload, or the name of a built-in picture (see /examples).
            styles: One to four pictures whose style is wanted, given likewise.
            weights: Share of each style, not negative; by default the same.
            method: paint, optimise, transport, knothe, whitening or adain.
            strength: 0 gives the photograph back, 1 the full style.
            wildness: 0 to 1, how far the colours may leave those of the pictures.
            keep_colours: Keep the photograph's colours.
            style_scale: Size of the style's strokes, 0.25 to 4.
            size: Longer side of the result in pixels.
            variants: How many pictures, of the seeds seed, seed + 1, ...
            seed: Names the random networks.
            mask: A picture, white where the style goes and black where the photograph stays.

        Returns:
            PNG files.
        """
        asked = {"method": method, "strength": strength, "n": variants, "wildness": wildness}
        asked |= {"side": size, "seed": seed, "keep_colours": keep_colours}
        settings = check_settings(asked | {"style_scale": style_scale}, limits=limits)
        _check_styles(styles, weights)
        job = jobs.run_job(
            _picture(content, "content"),
            [_picture(style, "styles") for style in styles],
            settings.config,
            settings.n,
            settings.seed,
            threading.Event(),  # a client's cancel closes the generator, at its next yield
            weights=weights,
            mask=None if mask is None else _picture(mask, "mask").pixels.mean(axis=2),
            limits=limits,
        )
        folder, done, progress = owners.own_folder(), [], gr.Progress()
        for report in job:
            if isinstance(report, jobs.Finished):
                name = f"stylised-seed-{report.seed}.png"
                done.append(_file(folder / name, report.png))
                yield list(done)
            elif isinstance(report, jobs.Progress):
                progress(report.fraction, desc=report.stage)
                if not done:  # clients fetch all pictures anew with each value
                    yield []

    @in_words
    def reconstruct(
        image: FileData | str,
        architecture: str = _NETWORK.architecture,
        layer: str = "conv2",
        tap: str = _NETWORK.tap,
        law: str = _NETWORK.law,
        std: float = _NETWORK.std,
        channels: int = 0,
        kernel: int = 0,
        upsampling: str = _NETWORK.upsampling,
        readouts: list[str] = list(reconstruct_tab.READOUTS),  # noqa: B006  never changed
        size: int = reconstruct_tab.SIDE,
        seed: int = 0,
        run: str | None = None,
    ) -> list[FileData]:
        """Shows what a network gives back of a picture: its input, then each reconstruction.

        Args:
            image: An upload, or the name of a built-in picture (see /examples).
            architecture: vgg16 or alexnet.
            layer: Last convolution of the network, such as conv2 or conv1_2.
            tap: pre_pool or post_pool, before or after the pool that follows.
            law: Law of the random weights: gaussian, uniform, logistic, laplace, he or orthogonal.
            std: Their standard deviation; he and orthogonal set their own.
            channels: Number of channels of every layer; 0 for the architecture's own.
            kernel: Side of every filter; 0 for the architecture's own.
            upsampling: zero or nearest.
            readouts: random, ridge or both.
            size: Longer side in pixels.
            seed: Names the random weights.
            run: Name of a trained run of this server.

        Returns:
            PNG files; their names for people say what they show, and how alike they are.
        """
        network: dict[str, Any] = {"architecture": architecture, "layer": layer, "tap": tap}
        network |= {"law": law, "std": std, "channels": channels, "kernel": kernel}
        network["upsampling"] = upsampling
        make = reconstruct_tab.panel_maker(runs, readouts, size, seed, run, **network)
        picture = _picture(image, "image")
        held = picture.pixels.nbytes
        reports = jobs.run_one("reconstructing", partial(make, picture), limits, held=held)
        (panel,) = (report for report in reports if not isinstance(report, jobs.Progress))
        folder = owners.own_folder()
        return [
            _file(folder / f"{number}.png", images.encode_png(result), title)
            for number, (title, result) in enumerate(reconstruct_tab.shown_pictures(panel).items())
        ]

    for heavy in (stylise, reconstruct):
        _add(heavy, heavy.__name__, **queued(limits))
    _add(in_words(built_in), "examples")
    _add(in_words(example), "example")
    _add(in_words(presets), "presets")
    _add(in_words(recipe), "recipe")


def built_in() -> list[dict[str, str]]:
    """Lists the built-in pictures.

    Returns:
        The name of each, and what it is.
    """
    return [{"name": name, "description": examples.describe(name)} for name in uploads.BUILT_IN]


def presets() -> list[dict[str, Any]]:
    """Lists looks: settings that go well together, by what they look like.

    Returns:
        Of each the command's word for it, its name, a hint and its settings; /stylise takes those
        that are among its arguments.
    """
    return [
        {"preset": word, "name": look.name, "hint": look.hint, "settings": to_dict(look.config)}
        for word, look in PRESETS.items()
    ]


def example(name: str) -> FileData:
    """A built-in picture.

    Args:
        name: One of /examples.

    Returns:
        A PNG file.
    """
    png = images.encode_png(_built_in(name).pixels)
    return _file(owners.own_folder() / "picture.png", png, name)


def recipe(picture: FileData) -> dict[str, Any]:
    """The recipe of a picture that was made by rrstyle.

    Args:
        picture: A PNG, as it was made.

    Returns:
        Settings, seed, and names and digests of the inputs.
    """
    found, _ = read_upload_recipe(picture, "picture")
    return json.loads(found.to_json())


def _add(function: Callable[..., Any], name: str, **options: Any) -> None:
    """Adds an endpoint whose documentation is the function's docstring."""
    context = get_blocks_context()
    assert context is not None
    # The app's own events are named after their functions, though no client may call them.
    for number, event in context.fns.items():
        if event.api_name == name:
            event.api_name = f"{name}_{number}"
    api = gr.api(function, api_name=name, **options)
    _, meanings, returned = get_function_description(function)
    endpoint = context.fns[api["id"]]
    for parts, key, texts in (
        (endpoint.inputs, "additional_description", list(meanings.values())),
        (endpoint.outputs, "description", [" ".join(returned)]),
    ):
        for part, text in zip(parts, texts, strict=True):
            assert isinstance(part, Api)
            part._api_info[key] = text


def _check_styles(styles: Any, weights: Any) -> None:
    if not isinstance(styles, list) or not 1 <= len(styles) <= MOST_STYLES:
        count = len(styles) if isinstance(styles, list) else type(styles).__name__
        raise ValueError(f"styles must be a list of 1 to {MOST_STYLES} pictures; received {count}")
    if weights is None:
        return
    most = sys.float_info.max
    numbers = isinstance(weights, list) and all(is_number(w, 0, most) for w in weights)
    if not (numbers and len(weights) == len(styles) and sum(weights) > 0):
        raise ValueError(
            f"weights must be {len(styles)} numbers, one a style, from 0 and not all 0;"
            f" received {str(weights)[:100]}"
        )


def _picture(value: Any, what: str) -> images.Picture:
    """A built-in picture by its name, which no file is looked for by, or an upload."""
    return _built_in(value) if isinstance(value, str) else read_upload(value, what)


def _built_in(name: str) -> images.Picture:
    return images.Picture(examples.example(name), name, ())


def _file(path: Path, data: bytes, title: str | None = None) -> FileData:
    """A new file that Gradio serves; `title` is for people."""
    write_whole(path, data)
    return FileData(path=str(path), orig_name=title or path.name, mime_type="image/png")
