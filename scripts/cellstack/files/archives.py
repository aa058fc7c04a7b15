"""NumPy archives that are written array by array."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np


class ArrayArchive:
    """A compressed archive, the same file as `numpy.savez_compressed` writes.

    Parameters
    ----------
    path : path-like
        The file, which ends in ".npz".

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with ArrayArchive(f"{folder}/a.npz") as archive:
    ...         archive.add({"00001/mask": np.eye(2)})
    ...     np.load(f"{folder}/a.npz")["00001/mask"].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, path: str | Path) -> None:
        self._file = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True)

    def __enter__(self) -> "ArrayArchive":
        """Return the archive."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def add(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Add arrays by name."""
        for name, values in arrays.items():
            with self._file.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(values), allow_pickle=False)
