"""Work on many items at once, in threads or processes, within the number of cores of a job."""

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:  # slow to import
    from multiprocessing.connection import Connection

    from cellstack.core.planes import Planes

Item = TypeVar("Item")
Result = TypeVar("Result")

MIN_VOXELS_FOR_THREADS = 1 << 20  # a pass over fewer voxels takes less time than starting threads

_limit = 1


def limit_threads(count: int) -> None:
    """Limit the threads of this process: those of cellstack and SimpleITK.

    OpenCV gets one thread: in threads of its pool, IPP cannot be disabled, so that the last bits of
    a result would depend on the thread that computes it, see :mod:`cellstack.core.opencv`.

    BLAS is limited by Snakemake, which sets ``OMP_NUM_THREADS`` and the like before a job starts.

    Parameters
    ----------
    count : int
        Number of threads, from 1. It is 1 until this function is called.
    """
    global _limit
    _limit = max(1, count)
    # read when the libraries are imported
    os.environ["OPENCV_FOR_THREADS_NUM"] = "1"
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(_limit)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)
    if "SimpleITK" in sys.modules:
        sys.modules["SimpleITK"].ProcessObject.SetGlobalDefaultNumberOfThreads(_limit)


def threads_for(stack: "Planes") -> int:
    """Return the number of threads for one quick pass over a stack.

    Parameters
    ----------
    stack : ndarray or planes

    Returns
    -------
    int
        1 for a small stack, otherwise the limit set by :func:`limit_threads`.

    Examples
    --------
    >>> import numpy as np
    >>> threads_for(np.zeros((2, 3, 4)))
    1
    """
    return _limit if stack.size > MIN_VOXELS_FOR_THREADS else 1


def map_threads(function: Callable[[Item], object], items: Sequence[Item], count: int) -> None:
    """Call a function for each item, in several threads.

    Parameters
    ----------
    function : callable
        Takes one item. Threads help where most of its time is spent without Python's global
        interpreter lock, as in OpenCV, and in NumPy on large arrays.
    items : sequence
    count : int
        Number of threads.

    Raises
    ------
    Exception
        Whatever `function` raised.

    Examples
    --------
    >>> squares = [0, 0, 0, 0]
    >>> def square(i):
    ...     squares[i] = i**2
    >>> map_threads(square, range(4), 2)
    >>> squares
    [0, 1, 4, 9]
    """
    if min(count, len(items)) <= 1:
        for item in items:
            function(item)
        return
    from concurrent.futures import ThreadPoolExecutor  # most jobs use one core

    with ThreadPoolExecutor(count, initializer=_disable_ipp) as pool:
        for done in [pool.submit(function, item) for item in items]:
            done.result()


def iterate_threads(
    function: Callable[[Item], Result], items: Sequence[Item], count: int
) -> Iterator[Result]:
    """Yield the result for each item in turn, while the next ones are computed in threads.

    Parameters
    ----------
    function, items
        See :func:`map_threads`.
    count : int
        Number of threads. Twice as many results are computed ahead.

    Yields
    ------
    object
        The results in the order of `items`.

    Raises
    ------
    Exception
        Whatever `function` raised.

    Examples
    --------
    >>> list(iterate_threads(lambda x: x**2, [1, 2, 3], 2))
    [1, 4, 9]
    """
    if min(count, len(items)) <= 1:
        yield from map(function, items)
        return
    from concurrent.futures import ThreadPoolExecutor  # most jobs use one core

    with ThreadPoolExecutor(count, initializer=_disable_ipp) as pool:
        pending = deque(pool.submit(function, item) for item in items[: 2 * count])
        for item in items[2 * count :]:
            result = pending.popleft().result()
            pending.append(pool.submit(function, item))
            yield result
        while pending:
            yield pending.popleft().result()


def _disable_ipp() -> None:
    """Disable the IPP library of OpenCV in this thread, see :mod:`cellstack.core.opencv`."""
    if "cv2" in sys.modules:
        sys.modules["cv2"].ipp.setUseIPP(False)


def map_processes(
    function: Callable[[Item], Result], items: Sequence[Item], count: int
) -> list[Result]:
    """Call a function for each item, in several processes.

    Parameters
    ----------
    function : callable
        Takes one item. Processes are forked, so the function may be defined anywhere and may read
        large arrays of the enclosing scope without a copy.
    items : sequence
    count : int
        Number of processes, including this one. Starting one takes about 10 ms.

    Returns
    -------
    list
        The results in the order of `items`, for any number of processes.

    Raises
    ------
    Exception
        Whatever `function` raised.
    MemoryError
        A process was killed, as the system does when memory runs out.

    Notes
    -----
    Use processes for work that holds Python's global interpreter lock. Where forking is not safe
    (macOS, Windows), everything is done in this process.

    Examples
    --------
    >>> map_processes(lambda x: x**2, [1, 2, 3], 2)
    [1, 4, 9]
    """
    import multiprocessing  # most jobs use one core

    count = min(count, len(items)) if sys.platform == "linux" else 1
    if count <= 1:
        return [function(item) for item in items]
    context = multiprocessing.get_context("fork")
    results: list[Any] = [None] * len(items)
    started = []
    try:
        for start in range(1, count):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(
                target=_work, args=(function, items[start::count], sender), daemon=True
            )
            process.start()
            sender.close()  # so that the pipe ends when the process ends
            started.append((start, process, receiver))
        results[0::count] = [function(item) for item in items[0::count]]
        for start, _, receiver in started:
            results[start::count] = _receive(receiver)
    finally:
        for _, process, receiver in started:
            receiver.close()
            process.terminate()
            process.join()
    return results


def _work(function: Callable[[Item], object], items: Sequence[Item], sender: "Connection") -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends this process
    answer: tuple[list[object] | None, Exception | None]
    try:
        answer = [function(item) for item in items], None
    except Exception as error:
        answer = None, error
    sender.send(answer)


def _receive(receiver: "Connection") -> list[Any]:
    results: list[Any]
    try:
        results, error = receiver.recv()
    except EOFError:
        raise MemoryError("a process was killed, as the system does when memory runs out") from None
    if error is not None:
        raise error
    return results
