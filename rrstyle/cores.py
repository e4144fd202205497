"""The processors that this process may use, and work that is shared among them."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


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
