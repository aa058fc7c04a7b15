"""The way in for images from outside: one file, many plane files, or a folder of either kind."""

import math
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cellstack import image_files, image_source, tiff_reader, zarr_reader
from cellstack.errors import InputError

PNG_PIXELS = 2**30  # a decoder takes memory for what the header claims


def called(image):
    """Return what messages call an image that is given as one or many paths."""
    return str(image[0]) if len(image) == 1 else f"{image[0]} and {len(image) - 1} more"


def shown(path):
    """Return a path as a record keeps it: relative as it was given, or else the bare name, for the machine is nobody's business."""
    return path.name if path.is_absolute() else path.as_posix()


@contextmanager
def open_image(image):
    """Open an image and tell what it holds, whatever its format.

    Parameters
    ----------
    image : list of pathlib.Path
        One file, one pattern with ``*``, one folder (an OME-Zarr, or planes), or many files of one plane each.

    Yields
    ------
    ImageSource
        Planes that are files of their own are in natural order: 2 before 10.

    Raises
    ------
    InputError
        Where a file is missing, is not an image, differs from the other planes, or is changed while it is read.
    """
    files = _expand(image)
    before = _identities(files)
    if len(files) > 1:
        yield _planes_as_files(files)
    elif image_files.is_zarr(files[0]):
        yield zarr_reader.open_zarr(files[0])
    else:
        with _open_file(files[0]) as source:
            yield source
    changed = [path for path, identity in _identities(files).items() if before[path] != identity]
    if changed:
        raise InputError(f"{changed[0]}: was changed while it was read: give the same command again once it is whole")


def _identities(files):
    """Tell for each file what changes when somebody writes or replaces it; of an OME-Zarr that is its folder alone."""
    found = {path: path.stat() for path in files if path.exists()}
    return {path: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}


def _expand(image):
    found = image_files.find_images(str(image[0])) if len(image) == 1 else image_files.in_natural_order(image)
    files = [Path(path) for path in found]
    missing = [path for path in files if not path.exists()] if files else image
    if missing:
        raise InputError(f"{missing[0]}: there is no such file, or no plane (.tif, .tiff, .png) in the folder: correct image in the sheet")
    return files


@contextmanager
def _open_file(path, one_of_many=False):
    if path.suffix.lower() == ".png":
        yield _open_png(path)
    elif path.is_dir():
        raise InputError(f"{path}: is a folder among files: name the files in it")
    else:
        with tiff_reader.open_tiff(path, one_of_many) as source:
            yield source


def _open_png(path):
    import imagecodecs  # only here

    with image_source.reading(str(path)):
        content = path.read_bytes()
        claimed = math.prod(int.from_bytes(content[start : start + 4], "big") for start in (16, 20))  # width and height in the header
        if claimed > PNG_PIXELS:
            raise InputError(f"{path}: claims {claimed:,} pixels, more than one plane has: it is damaged, export it again")
        pixels = imagecodecs.png_decode(content)
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    notices = ["colours were reduced to their luminance"] if samples >= 3 else []
    if samples in (2, 4):
        notices.append("opacity was left out")
    plane = pixels[..., 0] if samples == 2 else pixels
    return image_source.ImageSource(
        files=[path],
        format="PNG",
        axes="YXS"[: pixels.ndim],
        shape=pixels.shape,
        dtype=pixels.dtype,
        count=1,
        plane_shape=pixels.shape[:2],
        channels=[None],
        planes=lambda channel: iter([plane]),
        notices=notices,
    )


def _planes_as_files(files):
    with _open_file(files[0], one_of_many=True) as source:
        first = _one_plane(source)
    spacing = {axis: found for axis, found in first.spacing.items() if axis != "z"}  # one plane knows nothing of the next

    def planes(channel):
        for path in files:
            with _open_file(path, one_of_many=True) as source:
                each = _one_plane(source)
                if (each.shape, each.dtype, len(each.channels)) != (first.shape, first.dtype, len(first.channels)):
                    kinds = [f"{plane.shape} {plane.dtype.name}, channels {len(plane.channels)}" for plane in (each, first)]
                    raise InputError(
                        f"{path}: is a plane of {kinds[0]}, but {files[0]} of {kinds[1]}: name the planes of one stack in the sheet"
                    )
                yield from each.planes(channel)

    return replace(first, files=files, format=f"{first.format} planes", count=len(files), spacing=spacing, planes=planes)


def _one_plane(source):
    if source.count > 1:
        raise InputError(
            f"{source.files[0]}: holds {source.count} planes, but one of many files must hold one: name one stack in the sheet"
        )
    return source
