"""Content of an image by its headers: scenes, time points, channels, voxel size."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cellstack.errors import InputError
from cellstack.files.readers import opening, parts, voxel_size
from cellstack.files.readers.image_source import ImageSource
from cellstack.files.readers.parts import NotChosenError, Part

MAX_RATIO = 20  # of the distance between planes and the pixel size, before it is doubtful


class Contents(NamedTuple):
    """One stack of an image: a time point of a scene.

    Attributes
    ----------
    scene : str or None
        Value for the column ``scene`` of the sheet; None for an image with one scene.
    time : int or None
        Number of the time point; None for an image with one time point.
    channels : list of str or None
        Name of each channel, None for channels without a name.
    dyes : list of str
        Names of the dyes or filters of the channels; empty if the image does not name all.
    shape : (3,) tuple of int
        Z, Y, X.
    spacing : dict of str to (float or None)
        Voxel size along z, y, x in um; None where the image does not contain it.
    sources : list of str
        Metadata that contain the voxel size, such as ``"OME"``.
    notices : list of str
        What the user should know.
    set_files : list of str
        Names of the files of the set to which the image belongs.
    problem : str
        Why the stack cannot be read; empty if it can.
    """

    scene: str | None = None
    time: int | None = None
    channels: Sequence[str | None] = ()
    dyes: Sequence[str] = ()
    shape: tuple[int, int, int] = (0, 0, 0)
    spacing: Mapping[str, float | None] = MappingProxyType({})
    sources: Sequence[str] = ()
    notices: Sequence[str] = ()
    set_files: Sequence[str] = ()
    problem: str = ""


def is_plane(path: Path) -> bool:
    """Return whether an image has a single plane; only its header is read."""
    try:
        with opening.open_image([path], Part()) as source:
            return source.count == 1
    except InputError:
        return False


def read_contents(files: Sequence[Path]) -> list[Contents]:
    """List the stacks that an image contains.

    Parameters
    ----------
    files : sequence of pathlib.Path
        A file, an OME-Zarr, or planes.

    Returns
    -------
    list of Contents
        One for each time point of each scene. Only headers are read, and only those of the first
        time point of a scene.
    """
    return list(_stacks(files, Part()))


def _stacks(files: Sequence[Path], part: Part) -> Iterator[Contents]:
    try:
        with opening.open_image(files, part) as source:
            yield _describe(source, part)
    except InputError as error:
        # a message that was shortened has the original error as its cause
        choice = error if isinstance(error, NotChosenError) else error.__cause__
        if not isinstance(choice, NotChosenError):
            yield Contents(part.scene, part.time, problem=str(error))
        elif choice.column == "scene":
            for number in range(len(choice.names)):
                yield from _stacks(files, Part(name_or_number(number, choice.names), part.time))
        else:
            for first in _stacks(files, Part(part.scene, 0)):
                for time in range(len(choice.names)):
                    yield first._replace(time=time)


def name_or_number(number: int, names: Sequence[str | None]) -> str:
    """Return what selects a scene or a channel in the sheet: its name if it is unambiguous.

    Parameters
    ----------
    number : int
    names : sequence of (str or None)
        Names of all scenes or channels of the image.

    Returns
    -------
    str
        The number if the name is empty, occurs twice, is itself a number, begins or ends with a
        space, or contains unprintable characters; with ``#`` before it if another name is the same
        number.

    Examples
    --------
    >>> name_or_number(0, ["left", "right"]), name_or_number(1, ["left", "left"])
    ('left', '1')
    >>> name_or_number(0, ["1", "0"])
    '#0'
    """
    name = names[number] or ""
    clear = name == name.strip() and name.isprintable() and not name.isdecimal()
    if name and clear and parts.find_matches(names, name) == [number]:
        return name
    return str(number) if len(parts.find_matches(names, str(number))) == 1 else f"#{number}"


def _describe(source: ImageSource, part: Part) -> Contents:
    spacing = dict(source.spacing)
    if "z" not in spacing and source.measure_z is not None and (z := source.measure_z()):
        spacing["z"] = z
    sizes = {axis: voxel_size.in_um(spacing.get(axis))[0] for axis in voxel_size.AXES}
    if source.count == 1 and sizes["z"] is None:
        sizes["z"] = sizes["y"]  # as in the import
    dyes = [str(each.get("name") or "") for each in source.acquisition.get("channels", [])]
    unusual = voxel_size.find_doubtful(spacing, dict.fromkeys(voxel_size.AXES))
    if source.count == 1:
        unusual.append("only one plane")
    elif sizes["z"] and sizes["x"] and sizes["z"] > MAX_RATIO * sizes["x"]:
        unusual.append(f"the distance between planes is more than {MAX_RATIO} times the pixel size")
    return Contents(
        part.scene,
        part.time,
        source.channels,
        dyes if len(dyes) == len(source.channels) and all(dyes) else [],
        (source.count, *source.plane_shape),
        sizes,
        list(
            dict.fromkeys(
                size.source.rpartition(" ")[0].split(" ")[0] or "TIFF tags"
                for axis, size in spacing.items()
                if sizes[axis] is not None
            )
        ),
        [*source.flags, *unusual],
        source.set_files,
    )
