"""`rrstyle video`: a clip in the style of a picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from apps.batch.inputs import find_pictures
from apps.batch.painters import read_painters
from apps.command.stylize import with_networks
from apps.options.commands import Video
from apps.progress import Watch
from apps.quiet import quiet_start
from rrstyle.networks.laws import check_seed
from rrstyle.transfer.blends import check_shares

_NEEDED = ("av", "cv2")


def run(command: Video) -> int:
    """Paints the clip, or continues to."""
    check_seed(command.seed)
    if not all(find_spec(name) for name in _NEEDED):
        raise ValueError("video needs the extra video: pip install 'rrstyle[video]'")
    from rrstyle.video.clips import open_clip

    open_clip(command.clip)  # before Keras is loaded: a mistyped name is reported at once
    if command.painter is not None:
        _by_painter(command, command.painter)
        return 0
    if not command.style:
        raise ValueError("style is missing; name a picture with --style; received none")
    sources = find_pictures(command.style, argument="style")
    weights = command.style_weights or None
    try:
        check_shares(weights, len(sources))
    except ValueError as error:
        raise ValueError(f"style_{error}") from None
    config, networks = with_networks(command.config)
    styles = [source.read().pixels for source in sources]
    with _watching(command) as watch:
        with quiet_start():
            from rrstyle.video.run import stylize_video
        stylize_video(
            command.clip,
            styles,
            command.output,
            config,
            seed=command.seed,
            weights=weights,
            networks=networks,
            overwrite=command.overwrite,
            on_step=watch.show,
        )
    return 0


def _by_painter(command: Video, folder: Path) -> None:
    painter = read_painters(command, folder, [command.seed])[command.seed]
    config = command.config
    with _watching(command) as watch:
        with quiet_start():
            from rrstyle.video.run import paint_video
        paint_video(
            command.clip,
            painter,
            command.output,
            side=config.side,
            strength=config.strength,
            own_colours=config.keep_colours,
            overwrite=command.overwrite,
            on_step=watch.show,
        )


@contextmanager
def _watching(command: Video) -> Iterator[Watch]:
    watch = Watch(command.output.name)
    try:
        yield watch
    finally:
        watch.progress.clear()
    watch.progress.say(f"{command.output.name} written in {watch.progress.elapsed()}")
