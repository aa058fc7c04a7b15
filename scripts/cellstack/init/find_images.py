"""Search a folder for images: files, OME-Zarrs, and stacks whose planes are separate files."""

import glob
import itertools
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cellstack.files import images
from cellstack.files.readers.opening import READERS
from cellstack.files.readers.plane_names import (
    PLANE_LABELS,
    SEPARATORS,
    UUID,
    PlaneGroup,
    group_planes,
    pattern_of,
)

TIFF_SUFFIXES = (".tif", ".tiff", ".lsm", ".stk", ".btf", ".tf8", ".tf2")
SUFFIXES = (*TIFF_SUFFIXES, *READERS)
OIF_FILES = ".oif.files"  # folder with the planes of an OIF
OWN_FOLDERS = ("results", "logs", "resources")  # of a study, beside its .snakemake
PROJECTION = re.compile(r"^(?:MAX|MIN|AVG|SUM|STD|MED|MIP)[_-]|[_-](?:MAX|MIP)$", re.IGNORECASE)
THUMBNAIL = re.compile(r"_thumb", re.IGNORECASE)
# as programs name the copy of a file that is already in the folder
COPY = re.compile(r"(?: \(\d+\)| - Copy(?: \(\d+\))?|[ _]copy(?: \d+)?)$", re.IGNORECASE)
LABELS = "labels or masks"  # why a file is not used
LABEL_WORDS = {
    "annotation", "annotations", "gt", "groundtruth", "label", "labels", "mask", "masks", "seg",
    "segmentation", "segmentations", "truth",
}  # fmt: skip
# folders with one plane each, such as ZStep_1 of MetaXpress
PLANE_FOLDER = re.compile(rf"(?:{'|'.join(PLANE_LABELS)})[ _-]?\d+", re.IGNORECASE)


class FoundImage(NamedTuple):
    """An image in a folder.

    Attributes
    ----------
    files : list of pathlib.Path
        A file, an OME-Zarr, or the planes of a stack in order.
    path : str
        Value for the column ``image`` of the sheet: the path of the file or of the folder of the
        planes, or a pattern that matches the planes.
    name : str
        Path relative to the folder that was searched, without the file extension and the number of
        the plane.
    problem : str
        Why the planes are not a complete stack; empty if they are.
    """

    files: list[Path]
    path: str
    name: str
    problem: str = ""


@dataclass
class Found:
    """Images in a folder, and what was left out.

    Attributes
    ----------
    images : list of FoundImage
    left_out : dict of str to list of str
        Relative paths of files, by the reason for which they are not images of the study.
    files : int
        Number of files in the folder.
    """

    images: list[FoundImage] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    files: int = 0

    def leave_out(self, reason: str, path: str) -> None:
        """Record that a file is not an image of the study."""
        self.left_out.setdefault(reason, []).append(path)


def find_images(
    folder: Path,
    is_plane: Callable[[Path], bool],
    without: Path | None = None,
    report: Callable[[str], None] = print,
) -> Found:
    """Find the images in a folder and its subfolders.

    Parameters
    ----------
    folder : pathlib.Path
    is_plane : callable
        Called with a file; returns whether it contains a single plane.
    without : pathlib.Path, optional
        Folder that is not searched.
    report : callable
        Called with a line about the progress.

    Returns
    -------
    Found
        Files that differ only in the number of a plane in their names are one image if the first
        and the last of them contain a single plane each. Labels, masks, projections, thumbnails and
        copies, which are recognized by their names, and files of other kinds are left out.
    """
    found = Found()
    for place, files in _folders_of_planes(_walk(folder, without, found)):
        report(f"{place}: {len(files)} files")
        planes = []
        for file in files:
            name = file.relative_to(folder).as_posix()
            reason = _why_not(file)
            if reason:
                found.leave_out(reason, name)
            elif file.suffix.lower() in images.PLANE_SUFFIXES and file.is_file():
                planes.append(file)
            else:
                found.images.append(FoundImage([file], str(file), _without_suffix(name)))
        found.images += _group(place, planes, folder, is_plane)
    return found


def _walk(folder: Path, without: Path | None, found: Found) -> Iterator[tuple[Path, list[Path]]]:
    """Yield each folder with its files and OME-Zarrs."""
    for place, folders, names in os.walk(folder):
        path = Path(place)
        inside = sorted(path / name for name in folders if not name.startswith("."))
        if ".snakemake" in folders:
            inside = [each for each in inside if each.name not in OWN_FOLDERS]
        zarrs = [each for each in inside if images.is_zarr(each)]
        folders[:] = [
            each.name
            for each in inside
            if each not in zarrs
            and not each.name.lower().endswith(OIF_FILES)
            and (without is None or each.resolve() != without.resolve())
        ]
        files = sorted(path / name for name in names if not name.startswith("."))
        found.files += len(files) + len(zarrs)
        yield path, files + zarrs


def _folders_of_planes(
    walked: Iterable[tuple[Path, list[Path]]],
) -> Iterator[tuple[Path, list[Path]]]:
    """Yield folders with their files; folders with one plane each are yielded as one."""
    steps: dict[Path, list[Path]] = {}
    for place, files in walked:
        if PLANE_FOLDER.fullmatch(place.name):
            steps.setdefault(place.parent, []).extend(files)
        elif files:
            yield place, files
    yield from steps.items()


def _why_not(file: Path) -> str:
    """Return why a file is not an image of a study; empty if it can be."""
    original = COPY.sub("", file.stem)
    if original != file.stem and file.with_name(original + file.suffix).exists():
        return "copy"
    if file.is_file() and file.suffix.lower() not in SUFFIXES:
        return f"not an image ({file.suffix.lower() or 'no extension'})"
    if THUMBNAIL.search(file.stem):
        return "thumbnail"
    if PROJECTION.search(file.stem):
        return "projection"
    words = set(re.findall("[a-z]+", file.stem.lower()))
    return LABELS if words & LABEL_WORDS else ""


def _group(
    place: Path, files: Sequence[Path], top: Path, is_plane: Callable[[Path], bool]
) -> Iterator[FoundImage]:
    """Yield the stacks of planes among the files of a folder, and the other files."""
    by_name = {file.relative_to(place).as_posix(): file for file in files}
    listed = {
        each.relative_to(place).as_posix()
        for folder in {file.parent for file in files}
        for each in folder.iterdir()
    }
    for group in group_planes(by_name) if by_name else ():
        members = [by_name[name] for name in group.names]
        if len(members) > 1 and is_plane(members[0]) and is_plane(members[-1]):
            name = (place.relative_to(top) / _without_plane(group)).as_posix()
            path, problem = _path_of_planes(place, group, listed)
            yield FoundImage(members, path, name, problem)
        else:
            for file in members:
                name = _without_suffix(file.relative_to(top).as_posix())
                yield FoundImage([file], str(file), name)


def _path_of_planes(place: Path, group: PlaneGroup, listed: Collection[str]) -> tuple[str, str]:
    """Return the folder of planes or a pattern that matches them, and why they are incomplete."""
    planes = {name for name in listed if Path(name).suffix.lower() in images.PLANE_SUFFIXES}
    if planes == set(group.names) and not any("/" in name for name in planes):
        return str(place), group.problem
    pattern = pattern_of(group, listed)
    if pattern is None:
        problem = "no pattern matches these planes only: move them to a separate folder"
        return str(place), group.problem or problem
    return f"{glob.escape(str(place))}/{pattern}", group.problem


def _without_plane(group: PlaneGroup) -> str:
    """Return the names of the planes of a stack without the numbers that differ."""
    stems = [_without_suffix(name) for name in group.names]
    start = _shared_start(stems)
    end = _shared_start([stem[len(start) :][::-1] for stem in stems])[::-1].lstrip("0123456789.")
    start = re.sub(r"[-+]?[0-9.]*$", "", start).rstrip(SEPARATORS)
    if group.label and start.lower().endswith(group.label):
        start = start[: len(start) - len(group.label)].rstrip(SEPARATORS)
    return start + end


def _shared_start(texts: Sequence[str]) -> str:
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in alike)


def _without_suffix(name: str) -> str:
    base = re.sub(r"\.ome(\.\w+)$", r"\1", UUID.sub("", name), flags=re.IGNORECASE)
    return base[: len(base) - len(Path(base).suffix)]
