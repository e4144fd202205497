"""Signals that arrive at a bad moment."""

import gc
import signal
import time

import pytest

from apps.signals import ending_by_exceptions


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_signal_during_a_callback_of_the_garbage_collector_is_not_lost(number, error, capsys):
    def receive(phase, info) -> None:
        gc.callbacks.remove(receive)
        signal.raise_signal(number)

    def collect() -> None:
        gc.callbacks.append(receive)
        gc.collect()
        time.sleep(20)

    with pytest.raises(error), ending_by_exceptions():
        collect()
    assert capsys.readouterr().err == ""


def test_another_error_of_a_finaliser_is_told_as_before(capsys, monkeypatch):
    told = []
    monkeypatch.setattr("sys.unraisablehook", told.append)

    class Faulty:
        def __del__(self) -> None:
            raise ValueError("finaliser")

    with ending_by_exceptions():
        Faulty()
    assert [str(one.exc_value) for one in told] == ["finaliser"]
