"""`rrstyle info`: what this machine computes with, and how fast."""

from apps.options.commands import Info
from apps.quiet import quiet_start


def run(command: Info) -> int:
    """Prints a line for each thing; 1 where a GPU is there and is not used."""
    with quiet_start():
        from rrstyle import machine
    found = machine.describe()
    for name, text in found.items():
        if text:
            print(f"{name:12}{text}")
    return 1 if found["advice"] else 0
