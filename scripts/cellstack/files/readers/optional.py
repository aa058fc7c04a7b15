"""Import of the optional packages, which read or write formats that not every study needs."""

import importlib
from typing import Any

from cellstack.errors import InputError


def load(
    module: str,
    package: str,
    name: str,
    kind: str,
    *,
    verb: str = "read",
    requirements: str = "formats",
) -> Any:
    """Import a module of an optional package.

    Parameters
    ----------
    module : str
        Name of the module.
    package : str
        Name of the package that contains it.
    name : str
        Name of the file in the message.
    kind : str
        Files that are read or written with the package, in the plural.
    verb : {"read", "written", "fitted"}
        What the package does with them.
    requirements : {"formats", "export", "classify"}
        The requirements that contain the package.

    Returns
    -------
    module

    Raises
    ------
    InputError
        The package is not installed.

    Examples
    --------
    >>> load("json", "json", "a.json", "JSON files").loads("[1]")
    [1]
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{name}: {kind} are {verb} with the package {package}, which is not installed: in the "
            f"cellstack folder run make {requirements}, or "
            f"pip install -r envs/requirements/{requirements}.txt"
        ) from error
