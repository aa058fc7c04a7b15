"""Arrays in temporary files, for results that need not fit into memory."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.core.slabs import Empty


@contextmanager
def scratch_arrays(folder: str | Path) -> Iterator[Empty]:
    """Allocate arrays in files that are deleted afterwards, also if the process is killed.

    Parameters
    ----------
    folder : path-like
        Folder of the files, on a disk with enough space. It is made if necessary.

    Yields
    ------
    callable
        Takes a shape and a type and returns an array of zeros. The system moves its pages between
        memory and disk.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, scratch_arrays(folder) as empty:
    ...     empty((1, 1, 2), np.uint16).tolist(), list(Path(folder).iterdir())
    ([[[0, 0]]], [])
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:

        def empty(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
            if 0 in shape:
                return np.zeros(shape, dtype)  # an empty file cannot be mapped
            file = files.enter_context(TemporaryFile(dir=folder))
            return np.asarray(np.memmap(file, dtype, "w+", shape=shape))

        yield empty
