"""The stacks of a study: images and their channels, grouped and named."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os.path import commonpath
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from cellstack.config.lengths import check_diameter
from cellstack.errors import InputError
from cellstack.files.readers import voxel_size
from cellstack.init import channels
from cellstack.init.contents import Contents, name_or_number
from cellstack.init.find_images import FoundImage

COLUMNS = (
    "stack",
    "channel",
    "image",
    "channel_index",
    "scene",
    "time",
    "z_um",
    "y_um",
    "x_um",
    "diameter_um",
    "include",
)
NOT_GIVEN = (None, None, None)
Key: TypeAlias = tuple[str, str, str]


class Part(NamedTuple):
    """A stack in an image.

    Attributes
    ----------
    image : FoundImage
    contents : Contents
    """

    image: FoundImage
    contents: Contents


class Options(NamedTuple):
    """Options that the user gave on the command line.

    Attributes
    ----------
    nuclei, membrane : str or None
        Name or number of the channel that shows nuclei or membranes.
    diameter : float, "auto" or None
        Diameter of a nucleus in um.
    cell_diameter : float or None
        Diameter of a cell in um.
    voxel_size : (3,) sequence of float or None
        Along z, y, x in um, for images that do not contain it.
    """

    nuclei: str | None = None
    membrane: str | None = None
    diameter: float | str | None = None
    cell_diameter: float | None = None
    voxel_size: Sequence[float] | None = None


@dataclass
class StudyStack:
    """A stack of a study.

    Attributes
    ----------
    name : str
        Name in the sheet.
    image, scene : str
        Path of its first image in the sheet, and the scene of this image.
    rows : list of dict of str to str
        Cells of the rows to be added to the sheet, by column.
    shape : (3,) tuple of int
    spacing : dict of str to (float or None)
        Voxel size along z, y, x in um.
    sources : list of str
        Metadata that contain the voxel size.
    shown : dict of str to str
        What each channel of the sheet is called in the image.
    missing : str
        What is needed before the stack can run; empty if nothing.
    notices : list of str
        What the user should check.
    """

    name: str
    image: str
    scene: str
    rows: list[dict[str, str]]
    shape: tuple[int, int, int]
    spacing: Mapping[str, float | None]
    sources: Sequence[str]
    shown: dict[str, str]
    missing: str = ""
    notices: list[str] = field(default_factory=list)


def arrange(
    parts: Iterable[Part],
    options: Options,
    path_in_sheet: Callable[[FoundImage], str],
    in_sheet: Mapping[Key, str],
) -> list[StudyStack]:
    """Group images into stacks with one row of the sheet per channel.

    Parameters
    ----------
    parts : iterable of Part
        Stacks in images that can be read.
    options : Options
    path_in_sheet : callable
        Called with an image; returns its path in the sheet.
    in_sheet : dict of tuple to str
        Name of the stack of each image that is already in the sheet, by path, scene and time point.

    Returns
    -------
    list of StudyStack
        Stacks without rows for images that are already in the sheet. Images with one channel each
        belong to one stack if their names differ only in the name or the number of the channel.
    """
    groups = _group(parts)
    shared = _shared_folder([name for name, _ in groups])
    used = {name.casefold() for name in in_sheet.values()}
    stacks = []
    for name, members in groups:
        keys = [key_of(path_in_sheet(part.image), part.contents) for part, _ in members]
        known = [in_sheet[key] for key in keys if key in in_sheet]
        stack = known[0] if known else _unique(_stack_name(name, shared, members), used)
        used.add(stack.casefold())
        stacks.append(_stack(stack, members, keys, in_sheet, options))
    return stacks


def key_of(path: str, contents: Contents) -> Key:
    """Return what identifies a stack in an image: path, scene and time point, as in the sheet."""
    time = "" if contents.time is None else str(contents.time)
    return path, contents.scene or "", time


def _group(parts: Iterable[Part]) -> list[tuple[str, list[tuple[Part, str]]]]:
    """Return the name of each stack, and its images with the name of their channel."""
    candidates: dict[tuple[Any, ...], list[tuple[Part, channels.NamedChannel]]] = {}
    for part in parts:
        contents = part.contents
        named = channels.NamedChannel(part.image.name, "")
        if len(contents.channels) == 1:
            named = channels.split_name(part.image.name)
        key = (named.stack, contents.scene, contents.time, contents.shape)
        candidates.setdefault(key, []).append((part, named))
    groups: list[tuple[str, list[tuple[Part, str]]]] = []
    for members in candidates.values():
        found = [named.channel.casefold() for _, named in members]
        apart = len(set(found)) < len(members)
        if not apart and len(members) == 1:
            apart = members[0][1].numbered
        if apart:
            groups += [(part.image.name, [(part, "")]) for part, _ in members]
        else:
            together = [(part, named.channel) for part, named in members]
            groups.append((members[0][1].stack, together))
    return groups


def _shared_folder(names: Sequence[str]) -> str:
    """Return the folder that contains all stacks, which their names need not repeat."""
    folders = [str(Path(name).parent) for name in names]
    return commonpath(folders) if folders and "" not in folders else ""


def _stack_name(name: str, shared: str, members: Sequence[tuple[Part, str]]) -> str:
    contents = members[0][0].contents
    words = [Path(name).relative_to(shared).as_posix() if name else ""]
    if contents.scene is not None:
        words.append(f"s{contents.scene}" if contents.scene.isdecimal() else contents.scene)
    if contents.time is not None:
        words.append(f"t{contents.time:03d}")
    # a file that is named after its channel alone has the name of its folder
    folder = members[0][0].image.files[0].resolve().parent.name
    return channels.as_name("-".join(words)) or channels.as_name(folder) or "stack"


def _unique(name: str, used: Collection[str]) -> str:
    candidate, number = name, 1
    while candidate.casefold() in used:
        number += 1
        candidate = f"{name[: channels.MAX_NAME - 6]}-{number}"
    return candidate


def _stack(
    name: str,
    members: Sequence[tuple[Part, str]],
    keys: Sequence[Key],
    in_sheet: Mapping[Key, str],
    options: Options,
) -> StudyStack:
    shown: list[str] = []  # what each channel is called in the image
    cells: list[dict[str, str]] = []
    steps: dict[str, float | None] = dict.fromkeys(voxel_size.AXES, 0.0)
    for (part, channel), key in zip(members, keys, strict=True):
        found = part.contents
        given = {}
        for axis, step in zip(voxel_size.AXES, options.voxel_size or NOT_GIVEN, strict=True):
            if found.spacing[axis] is None and step is not None:
                given[f"{axis}_um"] = f"{step:g}"
            if steps[axis] is not None:
                steps[axis] = found.spacing[axis] or step
        for number, own in enumerate(found.channels):
            index = name_or_number(number, found.channels) if len(found.channels) > 1 else ""
            cells.append(dict(zip(COLUMNS[2:6], (key[0], index, *key[1:]), strict=True)) | given)
            file = Path(part.image.name).name if len(found.channels) == len(members) == 1 else ""
            dye = found.dyes[number] if found.dyes else ""
            names = dict.fromkeys(each for each in (channel, own, dye) if each)
            shown.append(" ".join(names) or file)
    every = [part.contents for part, _ in members]
    sources = list(dict.fromkeys(source for each in every for source in each.sources))
    if any("z_um" in row or "x_um" in row for row in cells):
        sources.append("--voxel-size")
    named = channels.name_channels(shown, options.nuclei, options.membrane)
    missing = _missing(every[0].shape, steps, named, options)
    include = {"include": "false"} if missing else {}
    return StudyStack(
        name,
        *keys[0][:2],
        [
            {"stack": name, "channel": channel, **row, **include}
            for channel, row in zip(named, cells, strict=True)
            if (row["image"], row["scene"], row["time"]) not in in_sheet
        ],
        every[0].shape,
        steps,
        sources,
        dict(zip(named, shown, strict=True)),
        missing,
        list(dict.fromkeys(notice for each in every for notice in each.notices)),
    )


def _missing(
    shape: tuple[int, int, int],
    spacing: Mapping[str, float | None],
    named: Sequence[str],
    options: Options,
) -> str:
    """Return what is needed before a stack can run; empty if nothing."""
    reasons = []
    unknown = [axis for axis, step in spacing.items() if step is None]
    if unknown:
        columns = ", ".join(f"{axis}_um" for axis in unknown)
        reasons.append(f"the voxel size is not in the image: fill in {columns}")
    kind, diameter = "nuclei", options.diameter
    if "nuclei" not in named:
        kind, diameter = "cells", options.cell_diameter
        if "membrane" not in named:
            reasons.append("no name says which channel shows nuclei: write nuclei in its row")
        elif diameter is None:
            reasons.append("the diameter of a cell is not known: fill in diameter_um, such as 15")
    if isinstance(diameter, float) and not reasons:
        try:
            check_diameter(diameter, shape, [step or 0.0 for step in spacing.values()], kind)
        except InputError as error:
            reasons.append(str(error))
    return "; ".join(reasons)
