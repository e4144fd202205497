"""`rrstyle export`: a SavedModel of the style transfer, or of a trained DCN."""

from apps.cli_options import Export
from apps.cli_settings import StyleOptions, checked, refuse_beside_model
from apps.quiet import quiet_start
from rrstyle.config import StyleConfig, to_dict


def run_export(command: Export) -> None:
    """Writes the model, and says so.

    Raises:
        ValueError: If an option or the run is wrong.
        OSError: If a file cannot be read or written.
    """
    if command.model is not None:
        defaults = {"seed": 0, **to_dict(StyleOptions(method="transport"))}
        refuse_beside_model({"seed": command.seed, **to_dict(command.config)}, defaults)
        with quiet_start():
            from recon.trained_export import export_trained
            from recon.training_run import load_run

        pair = load_run(command.model, best=True)
        export_trained(command.directory, pair, overwrite=command.overwrite)
        print(f"model of step {pair.step} written to {command.directory}")
        return
    config = checked(StyleConfig, command.config)
    with quiet_start():
        from rrstyle.export import export_saved_model

    export_saved_model(command.directory, config, seed=command.seed, overwrite=command.overwrite)
    print(f"model written to {command.directory}")
