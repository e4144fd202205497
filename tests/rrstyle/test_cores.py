"""Work that is shared among threads."""

import threading

import pytest

from rrstyle.cores import in_threads, usable_cores


def test_there_is_a_processor():
    assert usable_cores() >= 1


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_the_order_of_their_parts(threads):
    assert list(in_threads(lambda x: x * x, range(50), threads)) == [x * x for x in range(50)]


def test_one_thread_is_the_callers():
    assert set(in_threads(lambda _: threading.current_thread(), range(3), 1)) == {
        threading.current_thread()
    }


def test_several_calls_run_at_a_time():
    both = threading.Barrier(2, timeout=30)  # broken, an error, where only one comes
    assert len(list(in_threads(lambda _: both.wait(), range(2), 2))) == 2


def test_few_results_wait_at_a_time():
    begun = []
    results = in_threads(begun.append, range(50), 2)
    for taken in range(1, 51):
        next(results)
        assert len(begun) <= taken + 2


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_of_a_part_is_the_callers(threads):
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda x: 1 // x, [1, 0, 2], threads))
