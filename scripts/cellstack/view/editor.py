"""Interactive corrections of the objects of a stack, independent of the viewer.

Each correction is applied to the labels at once, by the function of the workflow, and is refused
with the reason if the objects do not fit it.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from cellstack.config import lengths
from cellstack.config.corrections import ACCEPT, ADD, DELETE, MERGE, REDRAW, SPLIT, Correction
from cellstack.config.study import GROWTH_OPTIONS
from cellstack.core.boxes import unite_boxes
from cellstack.core.counting import counted
from cellstack.core.distance import distance_map
from cellstack.core.labels import find_boxes
from cellstack.core.types import BoolVolume, Box, Labels, Spacing, Volume
from cellstack.files.stacks import read_stack, write_stack
from cellstack.files.tables import read_rows
from cellstack.segment.correct_objects import correct_objects
from cellstack.view.table import append_corrections, remove_last

Points = Sequence[Sequence[float]]


class Editor:
    """Corrections of one kind of object of a stack, and the labels with them.

    Parameters
    ----------
    stack : str
        Name of the stack in the sheet.
    object : str
        Kind of object: nuclei or cells.
    labels : (Z, Y, X) ndarray of uint16 or uint32
        The segmentation of the last run.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    table : path-like
        The table of corrections. Painted objects are written into the folder ``corrections``
        beside it.
    options : dict of str to float
        See :func:`cellstack.segment.correct_objects.correct_objects`.
    intensities : (Z, Y, X) ndarray of float32, optional
        Denoised intensities in which objects are added.

    Attributes
    ----------
    labels : ndarray
        The labels after all corrections made so far.
    """

    def __init__(
        self,
        stack: str,
        object: str,
        labels: Labels,
        spacing: Spacing,
        table: str | Path,
        options: Mapping[str, float] | None = None,
        intensities: Volume | None = None,
    ) -> None:
        self.stack, self.object, self.labels = stack, object, labels
        self.table, self._spacing = Path(table), spacing
        self._options, self._intensities = options or {}, intensities
        self._steps: list[tuple[list[Correction], list[Labels | None], Labels]] = []

    def merge(self, points: Points) -> str:
        """Merge the objects at the points, and return what was done."""
        if len(points) < 2:
            return "merge needs a point in each of two or more objects"
        return self._apply([_correction(MERGE, points)])

    def split(self, points: Points) -> str:
        """Split the object at the points into one for each point."""
        if len(points) < 2:
            return "split needs two or more points in one object"
        return self._apply([_correction(SPLIT, points)])

    def delete(self, points: Points) -> str:
        """Delete the object at each point."""
        return self._apply([_correction(DELETE, [point]) for point in points])

    def accept(self, points: Points) -> str:
        """Accept the object at each point."""
        return self._apply([_correction(ACCEPT, [point]) for point in points])

    def add(self, points: Points, diameter_um: float | None = None) -> str:
        """Add an object at each point."""
        if self._intensities is None or not self._options:
            return "an object cannot be added without a denoised image; paint it instead"
        corrections = [_correction(ADD, [point]) for point in points]
        for each in corrections:
            each["diameter_um"] = diameter_um
        return self._apply(corrections)

    def redraw(self, painted: Labels) -> str:
        """Replace all objects that were painted differently in a copy of the labels."""
        deleted: list[Correction] = []
        redrawn: list[Correction] = []
        added: list[Correction] = []
        images: dict[str, list[Labels | None]] = {DELETE: [], REDRAW: [], ADD: []}
        before, after = find_boxes(self.labels), find_boxes(painted)
        for label in sorted(before.keys() | after.keys()):
            box = unite_boxes(*(boxes[label] for boxes in (before, after) if label in boxes))
            old, new = self.labels[box] == label, painted[box] == label
            if np.array_equal(old, new):
                continue
            both = old & new
            if label in before and not both.any():
                deleted.append(_correction(DELETE, [self._core(old, box)]))
                images[DELETE].append(None)
            if not new.any():
                continue
            image = painted[after[label]] == label
            action, part = (REDRAW, both) if both.any() else (ADD, new)
            drawn = _correction(action, [self._core(part, box)])
            drawn["image"] = ""  # named when it is saved
            drawn["image_position_um"] = [
                float(side.start * step)
                for side, step in zip(after[label], self._spacing, strict=True)
            ]
            (redrawn if action == REDRAW else added).append(drawn)
            images[action].append(image.astype(np.uint16))
        if not deleted + redrawn + added:
            return "nothing was painted"
        return self._apply(deleted + redrawn + added, images[DELETE] + images[REDRAW] + images[ADD])

    def place(self, label: int) -> list[float]:
        """Return a position in um well inside an object."""
        box = find_boxes(self.labels)[label]
        return self._core(self.labels[box] == label, box)

    def undo(self) -> str:
        """Undo the last correction; if all are saved, remove the last one from the table."""
        if self._steps:
            corrections, _, self.labels = self._steps.pop()
            return f"undone: {_listed(corrections)}"
        action = remove_last(self.table, self.stack, self.object) if self.table.exists() else None
        if action is None:
            return "there is no correction to undo"
        return f"removed from {self.table}: {action}; run the workflow again to see the result"

    def save(self) -> str:
        """Add the corrections to the table, and return what was written."""
        corrections: list[Correction] = []
        for step, images, _ in self._steps:
            for correction, image in zip(step, images, strict=True):
                if image is not None:
                    correction["image"] = self._write_image(image)
                corrections.append(correction)
        if not corrections:
            return "there is nothing to save"
        append_corrections(self.table, self.stack, self.object, corrections)
        self._steps = []
        return f"{counted(len(corrections), 'corrections')} added to {self.table}"

    @property
    def count(self) -> int:
        """Number of corrections that are not saved."""
        return sum(len(step) for step, _, _ in self._steps)

    def _apply(
        self, corrections: list[Correction], images: list[Labels | None] | None = None
    ) -> str:
        """Apply corrections, all or none, and return what was done or why it was not possible."""
        if not corrections:
            return "add points first, in the objects to correct"
        images = images or [None] * len(corrections)
        labels, outcomes = correct_objects(
            self.labels, self._spacing, corrections, images, self._options, self._intensities
        )
        reasons = [outcome.reason for outcome in outcomes if outcome.reason]
        if reasons:
            return f"not possible: {'; '.join(reasons)}"
        self._steps.append((corrections, images, self.labels))
        self.labels = labels
        return f"done: {_listed(corrections)}"

    def _core(self, mask: BoolVolume, box: Box) -> list[float]:
        """Return the place in um of the voxel of a mask that is farthest from its outline."""
        padded = np.pad(mask, 1).view(np.uint8)
        depth = distance_map(padded, self._spacing)[1:-1, 1:-1, 1:-1]
        place = np.unravel_index(int(depth.argmax()), mask.shape)
        return [
            float((side.start + int(at)) * step)
            for side, at, step in zip(box, place, self._spacing, strict=True)
        ]

    def _write_image(self, image: Labels) -> str:
        """Write the label image of a painted object, and return its path for the table."""
        folder = self.table.parent / "corrections"
        number = 1
        while (path := folder / f"{self.stack}-{self.object}-{number}.tif").exists():
            number += 1
        write_stack(path, image, self._spacing, is_labels=True)
        return Path(os.path.relpath(path)).as_posix()


def _correction(action: str, points: Points) -> Correction:
    return {
        "action": action,
        "points": [[float(length) for length in point] for point in points],
        "diameter_um": None,
        "image": None,
        "image_position_um": None,
    }


def _listed(corrections: Sequence[Correction]) -> str:
    actions = [correction["action"] for correction in corrections]
    return ", ".join(f"{actions.count(name)} x {name}" for name in dict.fromkeys(actions))


def open_editor(folder: str | Path, object: str, table: str | Path) -> Editor:
    """Return the editor of one kind of object of a stack.

    Parameters
    ----------
    folder : path-like
        Folder of the stack in the results.
    object : str
        Kind of object: nuclei or cells.
    table : path-like
        The table of corrections.

    Returns
    -------
    Editor
        Objects are added with the diameter of the stack, and nuclei with the settings of the
        configuration; presets are ignored.
    """
    folder = Path(folder)
    labels, spacing = read_stack(folder / object / "segmentation.tif")
    image = {"nuclei": "channels/nuclei/denoised.tif", "cells": "cells/membrane_smooth.tif"}[object]
    summary = folder / object / "summary.csv"
    options: dict[str, float] = {}
    if summary.exists():
        options["diameter_um"] = float(next(read_rows(summary))["diameter_um"])
    settings = read_settings(folder.parent)
    if object == "nuclei" and options and "binarize" in settings:
        own = lengths.in_um(settings["binarize"]["per_object"], options["diameter_um"])
        options |= {key: own[key] for key in GROWTH_OPTIONS}
    intensities = None
    if (folder / image).exists() and (object == "cells" or len(options) > 1):
        intensities = read_stack(folder / image, mapped=True)[0]
    return Editor(folder.name, object, labels, spacing, table, options, intensities)


def read_settings(results: str | Path) -> dict[str, Any]:
    """Return the configuration of the last run; an empty one if there is none."""
    path = Path(results, "config.yaml")
    settings: Any = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return dict(settings)
