"""`rrstyle evaluate`: experiments listed, run and continued."""

from pathlib import Path

from apps.options.commands import Evaluate
from apps.progress import Watch, duration
from apps.quiet import quiet_start
from recon.experiments import EXPERIMENTS
from recon.experiments.catalogue import describe


def run(command: Evaluate) -> None:
    """Lists the experiments on stdout, or runs one."""
    if command.list:
        _list([command.name] if command.name else EXPERIMENTS)
        return
    if not command.name:
        raise ValueError("name is missing; `rrstyle evaluate --list` lists the experiments")
    from apps.batch.outputs import check_writable  # late: the list needs nothing heavy

    out = command.out or Path("runs", command.scale)
    if out.is_dir():
        check_writable(out)
    watch = Watch(command.name)
    from recon.sweep.run import evaluate

    try:
        run = evaluate(
            command.name,
            scale=command.scale,
            images=command.images,
            encoders=command.encoder,
            seed=command.seed,
            out=out,
            workers=command.workers,
            ray_address=command.ray,
            on_step=watch.show,
            one_thread=True,
            starting=quiet_start,
        )
    except KeyboardInterrupt:
        watch.progress.say(f"stopped; the same command continues it, in {out}")
        raise
    finally:
        watch.progress.clear()
    for note in run.notes:
        print(note)
    if run.kept == run.cells:
        print(f"{run.rows} rows were there; figures drawn anew")
    elif run.kept:
        print(f"{run.rows} rows, {run.kept} of {run.cells} cells of them from before")
    else:
        print(f"{run.rows} rows")
    print(f"measured in {duration(run.wall_s)}")
    print(f"written to {out}: {', '.join(path.name for path in run.files)}")


def _list(names: list[str] | tuple[str, ...]) -> None:
    for name in names:
        one = describe(name)
        print(f"{name}: {one.title}")
        print(f"  reproduces  {one.reproduces}")
        print(f"  the papers  {one.printed}")
        if one.claims:
            print(f"  decides     {', '.join(one.claims)}")
        costs = (
            f"{scale}: {minutes:g} processor minutes, {one.devices[scale]}"
            for scale, minutes in one.minutes.items()
        )
        print(f"  took        {'; '.join(costs) or 'not measured'}")
