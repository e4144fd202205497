"""What the system tells of the machine, and work that is shared among its processors."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


def told_by_system(file: str, field: str) -> str:
    """The first value of a field of /proc/`file`; empty where there is none, as off Linux."""
    try:
        lines = Path("/proc", file).read_text().splitlines()
    except OSError:
        return ""
    line = next((line for line in lines if line.startswith(field)), "")
    return line.partition(":")[2].strip()


def usable_cores() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(
    function: Callable[[Part], Result], parts: Iterable[Part], threads: int
) -> Iterator[Result]:
    """`function` of each part, in their order, by so many threads; with 1, in this thread.

    Gains where the function spends its time in NumPy, which leaves the interpreter to others.
    """
    if threads == 1:
        yield from map(function, parts)
        return
    with ThreadPoolExecutor(threads) as pool:
        begun: deque[Future[Result]] = deque()
        for part in parts:
            begun.append(pool.submit(function, part))
            if len(begun) > threads:  # no more results in memory than that
                yield begun.popleft().result()
        for future in begun:
            yield future.result()
