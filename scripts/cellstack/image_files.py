"""Which files an image of the sheet consists of."""

import glob
import os
from pathlib import Path

PLANE_SUFFIXES = (".tif", ".tiff", ".png")


def is_zarr(folder):
    """Tell whether a folder is a Zarr group, by its metadata files."""
    return any((folder / name).exists() for name in ("zarr.json", ".zgroup", ".zattrs"))


def is_folder(path):
    """Tell whether there is a folder; a name too long for any is none."""
    return os.path.isdir(path)  # noqa: PTH112 (Path.is_dir fails on such a name)


def find_images(path):
    """List the files that a cell of the sheet stands for.

    Parameters
    ----------
    path : str
        A file, an OME-Zarr folder, a folder of planes, or a glob of planes.

    Returns
    -------
    list of str
        The file or the OME-Zarr alone, else the planes in natural order; nothing where there is nothing.
    """
    if os.path.isfile(path):  # noqa: PTH113 (Path.is_file fails on a name that is too long)
        return [path]
    if is_folder(path):
        here = Path(path)
        if is_zarr(here):
            return [path]
        found = [str(plane) for plane in here.iterdir() if plane.suffix.lower() in PLANE_SUFFIXES and not plane.name.startswith(".")]
    else:
        found = glob.glob(path)  # noqa: PTH207 (Path.glob takes no absolute pattern)
    return in_natural_order(found)


def in_natural_order(paths):
    """Sort paths so that plane 2 comes before plane 10."""
    if len(paths) < 2:
        return paths
    from natsort import natsorted, ns  # not for the usual case of one file

    return natsorted(sorted(paths), alg=ns.PATH)
