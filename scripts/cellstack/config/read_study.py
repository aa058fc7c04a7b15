"""The study, read from the configuration, the sheet and the tables that they name."""

import os
from collections.abc import Collection
from pathlib import Path

from cellstack.config import (
    corrections,
    measurement_errors,
    settings,
    sheet,
    sweep_table,
    values,
)
from cellstack.config.corrections import Corrections
from cellstack.config.examples import Examples, read_examples
from cellstack.config.marks import Marks, Rows, read_marks
from cellstack.config.schemas import Schemas, Settings
from cellstack.config.sheet import Row
from cellstack.config.study import Study
from cellstack.files.image_sizes import ImageSizes

SIMULATED_PARTS = ("image", "nuclei", "cells")
SIMULATED_SPOTS = ("spots.ome.tif", "spots.csv")


def read_study(
    given: Settings,
    schemas: Schemas,
    resources: str,
    *,
    check: bool,
    sizes: ImageSizes | None = None,
) -> Study:
    """Complete a configuration and read the sheet and the sweep that it names.

    Parameters
    ----------
    given : dict
        The configuration as the user wrote it.
    schemas : Schemas
    resources : str
        Folder of simulated and downloaded images.
    check : bool
        Whether to look for errors in the values, which takes longer. Jobs leave it out.
    sizes : ImageSizes, optional
        Sizes of images that are known already.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        With one line for each error of the configuration, the sheet and the sweep.
    """
    given = _with_text_labels(_with_kind_of_diameter(given))
    sound, errors = values.sort_out(given, "config") if check else (given, [])
    config, further = settings.complete(sound, schemas.config, schemas.stages, check=check)
    errors += further
    presets = schemas.presets | config["presets"]
    made = _made_images(config, resources)
    rows, unreadable = sheet.read_sheet(config["stacks"], schemas.sheet)
    errors += unreadable
    if check and not unreadable:
        errors += _sheet_errors(rows, given, config, schemas, made)
    runs: list[Settings] = []
    if "sweep" in config:
        runs, untried = sweep_table.read_sweep(
            config["sweep"], schemas.config, schemas.stages, presets, check=check
        )
        errors += untried
    corrected: Corrections = {}
    if config["corrections"] is not None and not unreadable:
        corrected, _, wrong = corrections.read_corrections(
            config["corrections"], _kinds_shown(rows), check=check
        )
        errors += wrong
    examples: Examples = {}
    if config["classify_objects"]["examples"] is not None and not unreadable:
        examples, wrong = read_examples(
            config["classify_objects"]["examples"], _kinds_shown(rows), check=check
        )
        errors += wrong
    marks: Marks = {}
    rows_of_marks: Rows = {}
    if config["figures"]["marks"] is not None and not unreadable:
        marks, rows_of_marks, wrong = read_marks(config["figures"]["marks"], _kinds_shown(rows))
        errors += wrong
    if check and not errors:
        errors += measurement_errors.tissue_errors(config, presets, rows)
    if not os.access(".", os.W_OK):
        errors.append(
            f"{Path.cwd()}: this folder cannot be written to; "
            "change its permissions, or choose another one with --directory"
        )
    values.raise_errors(errors)
    used = sheet.rows_in_use(rows)
    return Study(
        config=config,
        stacks=used,
        excluded=frozenset(row["stack"] for row in rows if row.get("stack")) - used.keys(),
        presets=presets,
        sweep_runs=tuple(runs),
        corrections=corrected,
        examples=examples,
        marks=marks,
        rows_of_marks=rows_of_marks,
        schemas=schemas,
        simulated_images={
            f"{resources}/simulated/{name}/{part}.ome.tif": simulation["shape"]
            for name, simulation in config["simulate_stack"].items()
            for part in ("image", "spots")
        },
        made_images=made,
        sizes=sizes or ImageSizes(),
        incomplete={},
    )


def _made_images(config: Settings, resources: str) -> frozenset[str]:
    """Return the paths of the images and ground truths that a rule simulates or downloads."""
    parts = [
        f"{name}/{part}.ome.tif" for name in config["simulate_stack"] for part in SIMULATED_PARTS
    ]
    parts += [f"{name}/{part}" for name in config["simulate_spots"] for part in SIMULATED_SPOTS]
    simulated = [f"{resources}/simulated/{part}" for part in parts]
    return frozenset([f"{resources}/cells3d.ome.tif", *simulated])


def _sheet_errors(
    rows: Collection[Row],
    given: Settings,
    config: Settings,
    schemas: Schemas,
    made: Collection[str],
) -> list[str]:
    """Return the errors of the sheet, and of settings that depend on it."""
    where = config["stacks"]
    errors = sheet.find_errors(
        rows,
        schemas.sheet,
        where=where,
        presets={
            *schemas.presets,
            *config["presets"],
            *map(str, settings.as_mapping(given.get("presets"))),
        },
        diameters=settings.as_mapping(given.get("diameter_um")),
        objects=config["objects"],
        made=made,
    )
    errors += measurement_errors.group_errors(given, config, rows, schemas, where)
    errors += measurement_errors.relation_errors(config, rows, where)
    errors += measurement_errors.spot_errors(config, rows, where)
    errors += measurement_errors.unused_errors(config, rows, where)
    return errors


def _with_kind_of_diameter(given: Settings) -> Settings:
    """Return a configuration in which a diameter without a kind of object is that of nuclei."""
    diameter = given.get("diameter_um")
    if not isinstance(diameter, (int, float, str)):
        return given
    return {**given, "diameter_um": {"nuclei": diameter}}


def _with_text_labels(given: Settings) -> Settings:
    """Return a configuration in which the labels of regions are text, as keys have to be."""
    block = given.get("measure_regions")
    if not isinstance(block, dict) or not isinstance(block.get("names"), dict):
        return given
    names = {
        str(label) if isinstance(label, int) and not isinstance(label, bool) else label: name
        for label, name in block["names"].items()
    }
    return {**given, "measure_regions": {**block, "names": names}}


def _kinds_shown(rows: Collection[Row]) -> dict[str, list[str]]:
    """Return the kinds of object that each stack of the sheet has a channel for."""
    kinds: dict[str, list[str]] = {}
    for row in rows:
        if "stack" not in row:
            continue
        shown = kinds.setdefault(row["stack"], [])
        if row.get("channel") in sheet.OBJECT_OF:
            shown.append(sheet.OBJECT_OF[row["channel"]])
    return kinds
