"""Versions of cellstack and of the libraries, for the record of a run."""

import platform
import subprocess
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from cellstack import __version__

PACKAGES = (
    "connected-components-3d",
    "contourpy",
    "edt",
    "fastremap",
    "imagecodecs",
    "matplotlib",
    "numpy",
    "opencv-python-headless",
    "pandas",
    "pillow",
    "scikit-image",
    "scipy",
    "simpleitk",
    "snakemake",
    "tifffile",
    "zarr",
)


@cache
def software_versions(folder: str | Path) -> dict[str, Any]:
    """Return the versions of cellstack, Python and the libraries.

    Parameters
    ----------
    folder : path-like
        Folder of the Snakefile.

    Returns
    -------
    dict
        ``cellstack``, its ``commit``, see :func:`commit_of`, ``python``, and ``packages`` by name.
    """
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            packages[name] = "not installed"
    return {
        "cellstack": __version__,
        "commit": commit_of(folder),
        "python": platform.python_version(),
        "packages": packages,
    }


def commit_of(folder: str | Path) -> str | None:
    """Return the commit of a clone, with ``-dirty`` if its files were changed since.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    str or None
        None if the folder is not the top of a clone or a copy in an archive, or without git.
    """
    if not Path(folder, ".git").exists():
        recorded = Path(folder, "COMMIT")  # of a copy in an archive
        return recorded.read_text().strip() or None if recorded.is_file() else None
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        answer = subprocess.run(
            [*command, "--exclude=*"], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None


def versions_of(workflow: Any) -> Callable[[Any], dict[str, Any]]:
    """Return the input function of the versions for a run of a workflow."""
    folder = str(workflow.current_basedir)

    def versions(wildcards: Any) -> dict[str, Any]:
        return software_versions(Path(folder).parent)

    return versions
