"""`rrstyle examples`: the built-in pictures, listed or written."""

from apps.batch.inputs import built_in_names
from apps.batch.outputs import check_writable, refusal
from apps.options.commands import Examples


def run(command: Examples) -> None:
    """Lists the pictures on stdout, or writes them as PNG files."""
    from rrstyle import examples
    from rrstyle.durable import write_whole
    from rrstyle.pictures import images

    names = tuple(dict.fromkeys(command.names)) or built_in_names()
    lines = [f"{name:16}{examples.describe(name)}" for name in names]  # refuses unknown names
    if command.list or command.output is None:
        print("\n".join(lines))
    if command.output is None:
        return
    folder = command.output
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"output must be a folder; received the file {folder.name!r}")
    folder.mkdir(parents=True, exist_ok=True)
    check_writable(folder)
    targets = {name: folder / f"{name}.png" for name in names}
    for target in targets.values():
        if reason := refusal(target, overwrite=command.overwrite):
            raise FileExistsError(f"{target.name}: {reason}")
    for name, target in targets.items():
        if name in examples.STYLES:
            image = examples.style_picture(name, side=command.side, seed=command.seed)
        else:
            image = examples.photograph(name)
        write_whole(target, images.encode_png(image), overwrite=command.overwrite)
    print(f"{len(targets)} pictures written to {folder}")
