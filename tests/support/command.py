"""The command in a process of its own, for tests that interrupt it."""

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

# A shell that starts something in the background has it ignore SIGINT, and so do its children.
_CODE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from apps.cli import main; sys.exit(main())"
)
COMMAND = (sys.executable, "-c", _CODE)  # with imports of its own

# Others are forks of a process that has imported this and started nothing: an import takes five
# to ten seconds of the processor's time.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [f"apps.command.{name}" for name in ("stylize", "train", "evaluate", "export")]
    + ["apps.service.server", "recon.sweep.run", "recon.training.train"]
)


class Forked:
    """`rrstyle` with some words, in the current folder; used as a `subprocess.Popen` is.

    Attributes:
        stdout: Text that it writes, to stderr too.
        pid: Number of the process, which leads a group of its own.
    """

    def __init__(
        self, *words: str, first: Callable[[], object] | None = None, **variables: str
    ) -> None:
        """Starts it; `first` is called there before the command, with `variables` around it."""
        reading, writing = _FORKS.Pipe(duplex=False)
        environment = {**os.environ, **variables}
        self._process = _FORKS.Process(
            target=_run, args=(words, Path.cwd(), environment, writing, first)
        )
        with chdir(Path(__file__).parents[2]):  # what the first one imports from
            self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid
        writing.close()
        self.stdout = os.fdopen(os.dup(reading.fileno()))
        reading.close()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float = 120) -> int | None:
        self._process.join(timeout)
        return self._process.exitcode

    def communicate(self, timeout: float = 120) -> str:
        """What it says until all who can write have ended; it is killed when time is up."""
        late = threading.Timer(timeout, self.kill)
        late.start()
        said = self.stdout.read()
        late.cancel()
        self.wait()
        return said


@contextmanager
def started(
    *words: str, first: Callable[[], object] | None = None, **variables: str
) -> Iterator[Forked]:
    """A `Forked` that is killed at the end if it still runs."""
    process = Forked(*words, first=first, **variables)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _run(
    words: tuple[str, ...],
    folder: Path,
    environment: dict[str, str],
    output: Connection,
    first: Callable[[], object] | None,
) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # read anew
    os.chdir(folder)
    for number in (1, 2):
        os.dup2(output.fileno(), number)
    output.close()
    if first is not None:
        first()
    from apps.cli import main

    sys.exit(main(words))
