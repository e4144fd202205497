"""Many clients at once, good and bad: no wrong answer, no lost job, flat memory, how long it takes.

    python benchmarks/load.py --clients 20 --seconds 300
    python benchmarks/load.py --requests 2000     # flat memory after the first 500

Starts `rrstyle app` on loopback in a process of its own, and ends it with SIGTERM.
"""

import argparse
import math
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

_ROOT = Path(__file__).parents[1]
_SIDE, _SEEDS = 96, 6
_METHODS = ("transport", "adain", "whitening")
_MIB = 2**20
# What a bad request is answered with, so that a right refusal and a wrong one differ.
_BAD: dict[str, tuple[dict[str, Any], str]] = {
    "too large": ({"size": 99_999}, "size must be"),
    "no such method": ({"method": "magic"}, "method must be"),
    "no such picture": ({"content": "nobody"}, "unknown example"),
    "no style": ({"styles": []}, "styles must be"),
    "a path": ({"content": {"path": "/etc/passwd"}}, "not an uploaded file"),
}
# In the order of the endpoint /stylise.
_DEFAULTS: dict[str, Any] = {
    "content": "chelsea",
    "styles": ["waves"],
    "weights": None,
    "method": "transport",
    "strength": 1,
    "wildness": 0,
    "keep_colours": False,
    "style_scale": 1,
    "size": _SIDE,
    "variants": 1,
    "seed": 0,
    "mask": None,
}


@dataclass
class Load:
    """What happened.

    Attributes:
        outcomes: Requests by what became of them; only "right", "refused" and "queue full" are
            as they should be.
        seconds: Of each request that gave a picture, from asking to having the file.
        memory: (seconds since the start, MiB of the server's main memory).
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def wrong(self) -> int:
        """Requests that were lost or answered wrongly."""
        return self.outcomes.total() - sum(
            self.outcomes[name] for name in ("right", "refused", "queue full")
        )

    def growth(self) -> float:
        """MiB by which the last quarter's median memory is above the second quarter's.

        The first quarter is left out: networks are compiled and caches filled then.
        """
        values = [mib for _, mib in self.memory]
        quarter = len(values) // 4
        if not quarter:
            return 0.0
        return float(np.median(values[-quarter:]) - np.median(values[quarter : 2 * quarter]))


def pictures() -> dict[tuple[str, int], np.ndarray]:
    """What the library makes of what the clients will ask for: uint8, by method and seed."""
    from rrstyle import StyleConfig, example, stylize
    from rrstyle.config import from_dict
    from rrstyle.pictures.images import to_uint8

    inputs, values = (example("chelsea"), example("waves")), {"side": _SIDE}
    return {
        (method, seed): to_uint8(
            stylize(*inputs, from_dict(StyleConfig, values | {"method": method}), seed=seed)
        )
        for method in _METHODS
        for seed in range(_SEEDS)
    }


def ask(http: httpx.Client, **values: Any) -> tuple[str, str]:
    """One request to /stylise over HTTP, to its end.

    Returns:
        The last event ("complete" or "error") and its data.
    """
    call = "gradio_api/call/stylise"
    answer = http.post(call, json={"data": list((_DEFAULTS | values).values())})
    if answer.status_code != 200:
        return "error", answer.text
    stream = http.get(f"{call}/{answer.json()['event_id']}").text
    events = re.findall(r"event: (\w+)\ndata: (.*)", stream)
    return events[-1] if events else ("nothing", "")


def client(
    url: str,
    number: int,
    until: float,
    expected: dict[tuple[str, int], np.ndarray],
    load: Load,
    most: float,
) -> None:
    """Asks again and again until the time is over or all asked `most`, one in four a bad one.

    Args:
        url: Of the app.
        number: Of the client; names its random choices.
        until: On the monotonic clock.
        expected: Of `pictures`.
        load: What happens is noted here.
        most: Requests of all clients together.
    """
    chance = random.Random(number)
    with httpx.Client(base_url=url, trust_env=False, timeout=600) as http:
        while time.monotonic() < until and load.outcomes.total() < most:
            try:
                outcome = (
                    _bad(http, chance)
                    if chance.random() < 0.25
                    else _good(http, chance, expected, load)
                )
            except Exception as error:  # of any kind: it is counted as lost
                outcome = f"lost: {type(error).__name__}"
            with load.lock:
                load.outcomes[outcome] += 1


def _good(http: httpx.Client, chance: random.Random, expected: dict, load: Load) -> str:
    from rrstyle.pictures.images import read_image, to_uint8

    (method, seed), picture = chance.choice(list(expected.items()))
    started = time.monotonic()
    event, data = ask(http, method=method, seed=seed)
    if event == "error" and "queue is full" in data:
        time.sleep(1)
        return "queue full"
    if event != "complete":
        return f"wrong: {event} {data[:80]}"
    path = re.findall(r'"path": "([^"]+)"', data)[-1]
    answer = http.get(f"gradio_api/file={path}").raise_for_status()
    load.seconds.append(time.monotonic() - started)
    same = np.array_equal(to_uint8(read_image(answer.content).pixels), picture)
    return "right" if same else "wrong: other pixels"


def _bad(http: httpx.Client, chance: random.Random) -> str:
    name = chance.choice(list(_BAD))
    values, line = _BAD[name]
    event, data = ask(http, **values)
    if event == "error" and line in data:
        return "refused"
    return f"wrong: {name}: {event} {data[:80]}"


def run_load(
    url: str, pid: int, *, clients: int, seconds: float, requests: float = math.inf
) -> Load:
    """Many clients at once against a server on this machine.

    Args:
        url: Of the app.
        pid: Of its process, whose memory is watched.
        clients: How many.
        seconds: For how long they ask, at most; what they asked by then is waited for.
        requests: Requests after which they end, if there is time for so many.
    """
    expected, load = pictures(), Load()
    started = time.monotonic()
    threads = [
        threading.Thread(target=client, args=(url, i, started + seconds, expected, load, requests))
        for i in range(clients)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        load.memory.append((time.monotonic() - started, resident(pid)))
        time.sleep(min(1.0, seconds / 20))
    return load


def resident(pid: int) -> float:
    """MiB of main memory that a process takes now (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / _MIB


def print_load(load: Load, *, say: Callable[[str], None] = print) -> None:
    """The table."""
    for name, count in load.outcomes.most_common():
        say(f"{name:40}{count:>8}")
    if load.seconds:
        middle, late, longest = np.percentile(load.seconds, (50, 95, 100))
        say(f"seconds a picture: median {middle:.2f}, p95 {late:.2f}, longest {longest:.2f}")
    values = [mib for _, mib in load.memory]
    first, most, last = values[0], max(values), values[-1]
    say(f"memory: {first:.0f} MiB at first, {most:.0f} at most, {last:.0f} at last")
    say(f"memory, second quarter of the time to the last: {load.growth():+.0f} MiB")


@contextmanager
def started_app(*options: str) -> Iterator[tuple[str, int]]:
    """`rrstyle app` on a free port of loopback; its address and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "import sys; from apps.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "app", "--port", str(port), *options]
    with subprocess.Popen(words, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if "http" not in line:
                raise OSError(f"the app did not start; received {line!r}")
            yield f"http://127.0.0.1:{port}/", process.pid
        finally:
            process.send_signal(signal.SIGTERM)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the test and prints its table.

    Returns:
        1 if a request was lost or answered wrongly, else 0.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--requests", type=float, default=math.inf)
    parser.add_argument("--queue", type=int, default=16, help="jobs that may wait")
    asked = parser.parse_args(argv)
    with started_app("--queue", str(asked.queue)) as (url, pid):
        load = run_load(
            url, pid, clients=asked.clients, seconds=asked.seconds, requests=asked.requests
        )
    print_load(load)
    return int(load.wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
