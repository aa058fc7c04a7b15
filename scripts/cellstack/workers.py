"""Work on many objects or parts at once, in processes or threads."""

import os
import signal
import sys

MANY = 1 << 20  # voxels, from which on a pass over a stack is worth several threads


def in_processes(function, items, count):
    """Call a function for each item, a share of them in each of several processes.

    Parameters
    ----------
    function : callable
        Of one item. It is not sent to the processes, they have it from the start: it may be defined anywhere, and look at large arrays.
    items : sequence
    count : int
        How many processes, this one among them. One is enough for few or quick items: to start one takes some 10 ms.

    Returns
    -------
    list
        What `function` returned, in the order of `items`, for any number of processes.

    Raises
    ------
    Exception
        What `function` raised.
    MemoryError
        A process was ended from outside, as the system does where memory runs out.

    Notes
    -----
    What is small or keeps Python's lock, as distances do, gains nothing from threads.
    """
    import multiprocessing  # most jobs use one core, and do without

    count = min(count, len(items)) if sys.platform == "linux" else 1  # to fork is not safe elsewhere
    if count <= 1:
        return [function(item) for item in items]
    context = multiprocessing.get_context("fork")
    results, started = [None] * len(items), []
    try:
        for start in range(1, count):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(function, items[start::count], sender), daemon=True)
            process.start()
            sender.close()  # so that the end of the process is the end of the pipe
            started.append((start, process, receiver))
        results[0::count] = [function(item) for item in items[0::count]]
        for start, _, receiver in started:
            results[start::count] = _received(receiver)
    finally:
        for _, process, receiver in started:
            receiver.close()
            process.terminate()
            process.join()
    return results


def useful_threads(stack):
    """Give the number of threads that a quick pass over a stack is worth: one for a small stack, else all cores that this process may use.

    As OpenCV does for its own functions, whatever the cores that the job claims.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()  # which macOS has not
    return cores if stack.size > MANY else 1


def in_threads(function, items, count):
    """Call a function for each item, in several threads.

    Parameters
    ----------
    function : callable
        Of one item, most of whose time keeps no lock of Python, as in OpenCV, and in NumPy on large arrays.
    items : sequence
    count : int
        How many threads.
    """
    if min(count, len(items)) <= 1:
        for item in items:
            function(item)
        return
    from concurrent.futures import ThreadPoolExecutor  # as above

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(function, item) for item in items]:
            done.result()


def _work(function, share, sender):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits, which ends this one
    try:
        answer = [function(item) for item in share], None
    except Exception as error:
        answer = None, error
    sender.send(answer)


def _received(receiver):
    try:
        results, error = receiver.recv()
    except EOFError:
        raise MemoryError("a process was ended from outside, as the system does where memory runs out") from None
    if error is not None:
        raise error
    return results
