import os
import signal
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellstack import workers


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-5, 5), max_size=7), st.integers(1, 4))
def test_the_order_is_kept_for_any_number_of_processes(items, count):
    assert workers.in_processes(lambda item: (item, item**2), items, count) == [(item, item**2) for item in items]


@pytest.mark.skipif(sys.platform != "linux", reason="one process on other systems")
def test_the_processes_are_several():
    assert len({*workers.in_processes(lambda _: os.getpid(), range(6), 3)}) == 3
    assert {*workers.in_processes(lambda _: os.getpid(), range(6), 1)} == {os.getpid()}


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_fault_is_raised_wherever_it_occurs(failing):
    with pytest.raises(ZeroDivisionError):
        workers.in_processes(lambda item: 1 / (item - failing), range(3), 3)


@pytest.mark.skipif(sys.platform != "linux", reason="one process on other systems")
def test_a_process_that_is_ended_from_outside():
    own = os.getpid()

    def work(_):
        if os.getpid() != own:
            os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(MemoryError, match="ended from outside"):
        workers.in_processes(work, range(2), 2)


def test_more_than_a_pipe_holds():
    assert workers.in_processes(lambda item: bytes(1 << 20), range(4), 2) == [bytes(1 << 20)] * 4


@pytest.mark.parametrize("count", [1, 2, 5])
def test_threads_see_each_item_once(count):
    seen = []
    workers.in_threads(seen.append, range(9), count)
    assert sorted(seen) == list(range(9))
    with pytest.raises(ZeroDivisionError):
        workers.in_threads(lambda item: 1 / item, range(3), count)
