"""The table of a sweep: one column per configuration key, one row per run, and all errors in it.

Imported when Snakemake parses the workflow, so it imports nothing heavy.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import yaml

from cellstack.config import renamed, settings, sheet, values
from cellstack.config.settings import Schema, Settings

KEYS_WITHOUT_STAGE = ("preset", "diameter_um.nuclei", "diameter_um.cells")
NOT_SWEPT = {  # stages whose settings cannot be swept, and why
    "import_stack": "it changes the voxel grid, on which the ground truth is defined",
    "estimate_diameter": "diameter_um.nuclei can be swept instead",
    "run_segmenter": "it starts a program; sweep the column preset instead",
    "segment_tissue": "it changes the tissue, not the objects that are scored",
    "select_objects": "it changes which objects are measured, not those that are scored",
    "measure_neighbors": "it changes which objects are neighbours, not those that are scored",
    "crop_objects": "it changes which images are cut out, not the objects that are scored",
    "choose_view": "it changes what the gallery shows, not the objects that are scored",
}


def stage_names(stages_schema: Schema) -> list[str]:
    """Return the stages whose settings can be swept, in order."""
    return [name for name in stages_schema["properties"] if name not in NOT_SWEPT]


def key_names(stages_schema: Schema) -> list[str]:
    """Return the configuration keys that can be columns, such as ``find_seeds.h_maxima.h_um``.

    Parameters
    ----------
    stages_schema : dict
        JSON schema of the stages.

    Returns
    -------
    list of str
    """
    keys = list(KEYS_WITHOUT_STAGE)
    for stage in stage_names(stages_schema):
        for name, part in stages_schema["properties"][stage]["properties"].items():
            part = settings.follow(part, stages_schema)
            if part.get("type") == "object":
                keys += [f"{stage}.{name}.{option}" for option in part.get("properties", {})]
            else:
                keys.append(f"{stage}.{name}")
    return keys


def read_sweep(
    path: str,
    schema: Schema,
    stages_schema: Schema,
    presets: Collection[str],
    *,
    check: bool,
) -> tuple[list[Settings], list[str]]:
    """Read the table of a sweep.

    Parameters
    ----------
    path : str
        A table separated by commas if its name ends in .csv, else by tabs.
    schema : dict
        JSON schema of the whole configuration.
    stages_schema : dict
        JSON schema of the stages.
    presets : collection of str
        Names of the presets.
    check : bool
        Whether to look for errors in the values, which takes longer.

    Returns
    -------
    runs : list of dict
        For each row the values of the cells that are not empty, by key, read as YAML.
    errors : list of str
        One line per error, with row, key, value and fix. Row 1 is the first one below the header.
    """
    rows, errors = sheet.read_table(path, "config.sweep")
    if errors:
        return [], errors
    rows = [row for row in rows if row]  # each of these is a run
    known = key_names(stages_schema)
    columns = dict.fromkeys(column for row in rows for column in row)
    errors = [_column_error(path, column, known) for column in columns if column not in known]
    if not rows:
        errors.append(f"{path}: contains no run; add a row for each set of settings")
    runs = []
    for number, row in enumerate(rows, 1):
        place = f"{path} row {number}"
        run = {}
        for key, cell in row.items():
            if cell and key in known:
                try:
                    run[key] = yaml.safe_load(cell)
                except (yaml.YAMLError, ValueError, RecursionError):
                    errors.append(
                        f"{place}.{key}: {values.quote(cell)} is not a value in YAML; "
                        "write it as in the configuration"
                    )
        if check:
            run, unsound = values.sort_out(run, place)
            errors += unsound
        runs.append(run)
        if check:
            errors += _value_errors(run, place, schema, stages_schema, presets)
    return runs, errors


def _value_errors(
    run: Settings, place: str, schema: Schema, stages_schema: Schema, presets: Collection[str]
) -> list[str]:
    errors = []
    if "preset" in run and str(run["preset"]) not in presets:
        hint = settings.suggest(str(run["preset"]), presets)
        errors.append(f"{place}.preset: unknown preset {values.quote(run['preset'])}; {hint}")
    given = nest({key: value for key, value in run.items() if key != "preset"})
    errors += settings.find_errors(given, schema, place)
    errors += settings.find_method_errors(given, stages_schema, place)
    return errors


def _column_error(path: str, column: str, known: Sequence[str]) -> str:
    current = renamed.current_key(column)
    if column.split(".")[0] in NOT_SWEPT:
        reason = NOT_SWEPT[column.split(".")[0]]
        return f"{path}: column {column!r} cannot be swept, because {reason}; remove it"
    if current in known:
        return f"{path}: column {renamed.advice(column, current)}"
    return f"{path}: column {column!r} is not a key of the configuration; {_suggest(column, known)}"


def _suggest(column: str, known: Sequence[str]) -> str:
    """Return the keys with the same end or beginning, or else the one with the closest name."""
    stage, last = column.split(".")[0], column.split(".")[-1]
    similar = [key for key in known if key.split(".")[-1] == last or key.startswith(f"{column}.")]
    similar = [key for key in similar if key.split(".")[0] == stage] or similar
    if similar:
        return f"did you mean {' or '.join(map(repr, similar[:3]))}?"
    return settings.suggest(column, known)


def nest(run: Mapping[str, Any]) -> Settings:
    """Return the settings of a run as a part of the configuration.

    Parameters
    ----------
    run : dict of str to object
        Values by key, see :func:`read_sweep`.

    Returns
    -------
    dict

    Examples
    --------
    >>> nest({"binarize.factor": 0.9, "binarize.method": "li"})
    {'binarize': {'factor': 0.9, 'method': 'li'}}
    """
    nested: Settings = {}
    for key, value in run.items():
        *outer, last = key.split(".")
        block = nested
        for name in outer:
            block = block.setdefault(name, {})
        block[last] = value
    return nested
