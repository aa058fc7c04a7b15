"""Files of jobs that failed as a comparison of methods expects: they contain the reason instead."""

from pathlib import Path

from cellstack.files.atomic import atomic_write

MARK = b"cellstack: no result\n"


def write_failure(path: str | Path, reason: str) -> None:
    """Write a file that says why there is no result.

    Parameters
    ----------
    path : path-like
    reason : str
    """
    with atomic_write(path) as partial:
        partial.write_bytes(MARK + reason.encode())


def read_failure(path: str | Path) -> str | None:
    """Return why there is no result, or None for a file with a result.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "mask.tif"
    >>> write_failure(path, "binarize: no threshold")
    >>> read_failure(path)
    'binarize: no threshold'
    >>> path.write_bytes(b"II*")
    3
    >>> read_failure(path) is None
    True
    """
    with Path(path).open("rb") as file:
        if file.read(len(MARK)) != MARK:
            return None
        return file.read().decode()
