"""`rrstyle export`: a model of the style transfer, of a painter, or of a trained DCN."""

from pathlib import Path

from apps.options.checks import refuse_beside_run
from apps.options.commands import Export
from apps.quiet import quiet_start
from recon.training.record import RECORD
from rrstyle.config import DECODERS, StyleConfig
from rrstyle.painters.folder import choose_painter, holds_painters


def run(command: Export) -> None:
    """Writes the model, and says so."""
    directory, decoder = command.directory, command.config.decoder
    suffix = (command.output or directory).suffix
    format = command.format or ("onnx" if suffix == ".onnx" else "savedmodel")
    if holds_painters(directory):
        _export_painter(command, format)
        return
    run = None if decoder in DECODERS else Path(decoder)
    if run is None and (directory / RECORD).is_file():  # a run itself: its model goes into it
        directory, run = command.output or directory / "saved_model", directory
    elif command.output is not None:
        raise ValueError("output must be left out, unless PATH is a run or a painter")
    if run is not None:
        if format == "onnx":
            raise ValueError("format must be savedmodel with a run as decoder; received onnx")
        default = StyleConfig(method="transport", decoder=decoder)
        refuse_beside_run(command.config, default, seed=command.seed)
        with quiet_start():
            from recon.export import export_trained
            from recon.training.run import load_run

        pair = load_run(run, best=True)
        export_trained(directory, pair, overwrite=command.overwrite)
        print(f"model of step {pair.about['step']} written to {directory}")
        return
    with quiet_start():
        from rrstyle.export.onnx import export_onnx
        from rrstyle.export.saved_model import export_saved_model

    write = export_onnx if format == "onnx" else export_saved_model
    write(directory, command.config, seed=command.seed, overwrite=command.overwrite)
    print(f"model written to {directory}")


def _export_painter(command: Export, format: str) -> None:
    refuse_beside_run(command.config, StyleConfig(method="transport"), what="a painter")
    chosen = choose_painter(command.directory, command.seed)
    name = "model.onnx" if format == "onnx" else "saved_model"
    target = command.output or command.directory / name
    with quiet_start():
        from rrstyle.export.painter import export_painter
        from rrstyle.painters.painter import load_painter

    export_painter(target, load_painter(chosen), format=format, overwrite=command.overwrite)
    print(f"model written to {target}")
