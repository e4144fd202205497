"""`rrstyle evaluate`: experiments listed, run and continued."""

from pathlib import Path

from apps.batch.outputs import check_writable
from apps.options.commands import Evaluate
from apps.progress import Watch, duration
from apps.quiet import quiet_start
from recon.experiments import EXPERIMENTS, find_experiment


def run(command: Evaluate) -> None:
    """Lists the experiments on stdout, or runs one."""
    if command.list:
        _list([command.name] if command.name else EXPERIMENTS)
        return
    if not command.name:
        raise ValueError("name is missing; `rrstyle evaluate --list` lists the experiments")
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
    with quiet_start():  # the experiments' modules import Keras
        from recon.claims.register import CLAIMS

        found = [find_experiment(name) for name in names]
    for one in found:
        print(f"{one.name}: {one.title}")
        print(f"  reproduces  {one.reproduces}")
        print(f"  the papers  {one.printed}")
        if decided := [claim.id for claim in CLAIMS if claim.experiment == one.name]:
            print(f"  decides     {', '.join(decided)}")
        costs = "; ".join(f"{scale}: {cost}" for scale, cost in one.cost.items())
        print(f"  costs       {costs}")
