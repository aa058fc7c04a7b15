"""The table of a sweep: a column per key of the configuration, a row per run; what it sets, and every fault in it at once.

Imported while Snakemake parses the workflow, so it stays light.
"""

import re

import yaml

from cellstack import settings, sheet

NO_STAGE = ("preset", "diameter_um.nuclei", "diameter_um.cells")  # keys that are not of a stage, but can be swept as well
NOT_SWEPT = {  # stages whose settings cannot be swept, and why
    "import_stack": "it changes the grid, so that the truth would no longer be the same",
    "estimate_diameter": "diameter_um.nuclei can be swept itself",
    "select_objects": "it changes what is measured, not what is found and scored",
    "crop_objects": "it changes what is cut out, not what is found and scored",
    "choose_view": "it changes what the gallery shows, not what is found and scored",
}
WITHOUT_SETTINGS = ("evaluate_labels",)  # rules that have none, but whose results depend on those of stages


def stage_names(stages_schema):
    """List the stages whose settings can be swept, in their order."""
    return [name for name in stages_schema["properties"] if name not in NOT_SWEPT]


def key_names(stages_schema):
    """List the keys that a column can bear, such as ``find_seeds.h_maxima.h_um``.

    Parameters
    ----------
    stages_schema : dict
        JSON schema of the stages.

    Returns
    -------
    list of str
    """
    keys = list(NO_STAGE)
    for stage in stage_names(stages_schema):
        for name, part in stages_schema["properties"][stage]["properties"].items():
            part = settings.follow(part, stages_schema)
            options = part.get("properties", {}) if part.get("type") == "object" else None
            keys += [f"{stage}.{name}"] if options is None else [f"{stage}.{name}.{option}" for option in options]
    return keys


def read_sweep(path, schema, stages_schema, presets, *, check):
    """Read the table of a sweep.

    Parameters
    ----------
    path : str
        A table with tabs, or with commas where its name ends in .csv.
    schema, stages_schema : dict
        JSON schemas of the whole configuration and of the stages.
    presets : collection of str
        Names of presets that there are.
    check : bool
        Whether to look for faults in the values, which takes longer.

    Returns
    -------
    runs : list of dict
        For each row the values of the cells that are not empty, by column, as YAML understands them.
    faults : list of str
        One line per fault, with row, key, value and cure. Row 1 is the first below the header.
    """
    rows, faults = sheet.read_table(path, "config.sweep")
    if faults:
        return [], faults
    known = key_names(stages_schema)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    faults = [_column_fault(path, column, known) for column in columns if column not in known]
    if not rows:
        faults.append(f"{path}: holds no run; add a row for each set of settings")
    runs = []
    for number, row in enumerate(rows, 1):
        place = f"{path} row {number}"
        run = {}
        for key, cell in row.items():
            if cell and key in known:
                try:
                    run[key] = yaml.safe_load(cell)
                except yaml.YAMLError:
                    faults.append(f"{place}.{key}: {cell!r} is no value; write it as in the configuration")
        runs.append(run)
        if check:
            faults += _value_faults(run, place, schema, stages_schema, presets)
    return runs, faults


def _value_faults(run, place, schema, stages_schema, presets):
    faults = []
    if "preset" in run and run["preset"] not in presets:
        faults.append(f"{place}.preset: unknown preset {run['preset']!r}; {settings.suggest(str(run['preset']), list(presets))}")
    given = nest({key: value for key, value in run.items() if key != "preset"})
    return faults + settings.find_faults(given, schema, place) + settings.find_method_faults(given, stages_schema, place)


def _column_fault(path, column, known):
    stage = column.split(".")[0]
    if stage in NOT_SWEPT:
        return f"{path}: column {column!r} cannot be swept, as {NOT_SWEPT[stage]}; remove it"
    return f"{path}: column {column!r} is no key of the configuration; {_suggest(column, known)}"


def _suggest(column, known):
    """Say what was perhaps meant: a key that ends or begins alike goes before one that merely looks alike."""
    stage, last = column.split(".")[0], column.split(".")[-1]
    alike = [key for key in known if key.split(".")[-1] == last or key.startswith(f"{column}.")]
    alike = [key for key in alike if key.split(".")[0] == stage] or alike
    return f"did you mean {' or '.join(map(repr, alike[:3]))}?" if alike else settings.suggest(column, known)


def nest(run):
    """Turn ``{"a.b": 1}`` into ``{"a": {"b": 1}}``.

    Parameters
    ----------
    run : dict of str to object
        Values by key, as of :func:`read_sweep`.

    Returns
    -------
    dict
        A part of a configuration.
    """
    nested = {}
    for key, value in run.items():
        *outer, last = key.split(".")
        block = nested
        for name in outer:
            block = block.setdefault(name, {})
        block[last] = value
    return nested


def place(run, stack):
    """Name the folder of a stack within the results: that of a run of the sweep, or for run 0 that of the configuration as it stands."""
    return f"sweep/{run}/{stack}" if run else stack


def with_place(path, run, stack, results):
    """Name a file of run 0 in the folder `results` as a file of another run."""
    return path.replace(f"{results}/{stack}/", f"{results}/{place(run, stack)}/", 1)


def pattern_of_runs(pattern):
    """Turn the pattern of a file of each stack into that of the same file of each run.

    Parameters
    ----------
    pattern : str
        With the wildcard ``{stack}``, which may have a constraint.

    Returns
    -------
    str
        With ``{run}`` too; constraints are dropped, as the stacks of a sweep meet them all.
    """
    return re.sub(r"\{(\w+),[^/]*\}", r"{\1}", pattern).replace("{stack}", place("{run}", "{stack}"), 1)


def without_place(files, run, stack):
    """Name files of a run as the configuration as it stands would.

    Parameters
    ----------
    files : str or iterable of str
        Paths in which :func:`place` stands for the stack.
    run : int
        Number of the run.
    stack : str
        Name of the stack.

    Returns
    -------
    str or list of str
    """
    if isinstance(files, str):
        return str(files).replace(place(run, stack), stack)
    return [without_place(each, run, stack) for each in files]


def as_list(files):
    """Give one file or several as a list."""
    return [files] if isinstance(files, str) else list(files)
