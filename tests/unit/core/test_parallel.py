import os
import signal
import sys

import cv2
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from cellstack.core import parallel


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-5, 5), max_size=7), st.integers(1, 4))
def test_results_are_in_order_for_any_number_of_processes(items, count):
    assert parallel.map_processes(lambda item: (item, item**2), items, count) == [
        (item, item**2) for item in items
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="one process on other systems")
def test_items_are_distributed_to_several_processes():
    assert len({*parallel.map_processes(lambda _: os.getpid(), range(6), 3)}) == 3
    assert {*parallel.map_processes(lambda _: os.getpid(), range(6), 1)} == {os.getpid()}


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_an_error_is_raised_from_any_process(failing):
    with pytest.raises(ZeroDivisionError):
        parallel.map_processes(lambda item: 1 / (item - failing), range(3), 3)


@pytest.mark.skipif(sys.platform != "linux", reason="one process on other systems")
def test_a_killed_process_is_an_error():
    own = os.getpid()

    def work(_):
        if os.getpid() != own:
            os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(MemoryError, match="a process was killed"):
        parallel.map_processes(work, range(2), 2)


def test_results_may_be_larger_than_the_buffer_of_a_pipe():
    assert parallel.map_processes(lambda item: bytes(1 << 20), range(4), 2) == [bytes(1 << 20)] * 4


@pytest.mark.parametrize("count", [1, 2, 5])
def test_threads_call_the_function_once_per_item(count):
    seen = []
    parallel.map_threads(seen.append, range(9), count)
    assert sorted(seen) == list(range(9))
    with pytest.raises(ZeroDivisionError):
        parallel.map_threads(lambda item: 1 / item, range(3), count)


def test_limit_threads(monkeypatch):
    variables = "OPENCV_FOR_THREADS_NUM", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"
    for variable in variables:
        monkeypatch.setenv(variable, "2")
    monkeypatch.setattr(parallel, "_limit", 1)
    before = cv2.getNumThreads(), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    large = np.broadcast_to(np.uint8(0), (2, 1024, 1024))
    try:
        parallel.limit_threads(3)
        assert parallel.threads_for(large) == 3
        assert parallel.threads_for(large[:, :10]) == 1
        assert cv2.getNumThreads() == 1  # its own threads would use IPP
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 3
        assert [os.environ[variable] for variable in variables] == ["1", "3"]
    finally:
        cv2.setNumThreads(before[0])
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before[1])


@pytest.mark.parametrize("count", [1, 2, 5])
def test_threads_yield_results_in_order_and_compute_only_a_few_ahead(count):
    started = []

    def square(item):
        started.append(item)
        return item**2

    results = parallel.iterate_threads(square, range(40), count)
    assert next(results) == 0
    assert len(started) <= 2 * count + 1
    assert list(results) == [item**2 for item in range(1, 40)]
    with pytest.raises(ZeroDivisionError):
        list(parallel.iterate_threads(lambda item: 1 / (item - 3), range(9), count))
