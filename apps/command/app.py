"""`rrstyle app`: the server, until it has to end."""

from dataclasses import replace
from pathlib import Path

from apps.options.commands import App
from apps.quiet import quiet_start
from rrstyle.pictures.files import read_bytes

_LONGEST_PASSWORD = 1024  # bytes


def run(command: App) -> None:
    """Serves the app; to be called in the main thread. See `apps.service.server.launch`."""
    config = command.server
    if command.login is not None:
        config = replace(config, auth=read_auth(command.login))
    with quiet_start():  # what is wrong above is reported at once
        from apps.service.server import launch

    launch(config)


def read_auth(text: str) -> tuple[str, str]:
    """User and password of USER:FILE, a file of one line; ValueError or OSError without one."""
    user, colon, name = text.partition(":")
    if not (user.strip() and colon and name):
        # What was received may be a password, by mistake.
        raise ValueError("auth must be USER:FILE, a name and a file that holds the password")
    data, label = read_bytes(Path(name))
    try:
        lines = data.decode().splitlines()
    except UnicodeDecodeError:
        lines = []
    if len(lines) != 1 or not lines[0].strip() or len(data) > _LONGEST_PASSWORD:
        raise ValueError(
            f"auth: {label} must hold a password on one line of UTF-8, of at most"
            f" {_LONGEST_PASSWORD} bytes; received {len(lines)} lines of {len(data)} bytes in all"
        )
    return user.strip(), lines[0]
