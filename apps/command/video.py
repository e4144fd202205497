"""`rrstyle video`: a clip in the style of a picture."""

from importlib.util import find_spec

from apps.batch.inputs import find_pictures
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
    sources = find_pictures(command.style, argument="style")
    weights = command.style_weights or None
    try:
        check_shares(weights, len(sources))
    except ValueError as error:
        raise ValueError(f"style_{error}") from None
    config, networks = with_networks(command.config)
    styles = [source.read().pixels for source in sources]
    watch = Watch(command.output.name)
    try:
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
    finally:
        watch.progress.clear()
    watch.progress.say(f"{command.output.name} written in {watch.progress.elapsed()}")
    return 0
