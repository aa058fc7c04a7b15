"""The sheet, the settings and the functions that rules name; nothing here opens an image."""

import hashlib
import json
import os
import re
import sys
from functools import cache, partial
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

# ---- source: what a job runs


@cache
def source_file(name):
    """Bring a file of scripts/ to where jobs find it, and return its path."""
    return workflow.source_path(f"../scripts/{name}")


@cache
def source_hash(script):
    """Hash a script with all of cellstack that it imports, so that a change of either re-runs its rule."""
    digest = hashlib.sha256()
    for name in source_files(script):
        digest.update(name.encode() + Path(source_file(name)).read_bytes())
    return digest.hexdigest()[:16]


def source_files(script):
    """List a script or module and the modules of cellstack that it imports, directly or through another, in a fixed order."""
    found, waiting = set(), [f"{script}.py", "cellstack/__init__.py"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            source = Path(source_file(name)).read_text(encoding="utf-8")
            modules = re.findall(r"^\s*from cellstack\.(\w+) import ", source, re.MULTILINE)
            for names in re.findall(r"^\s*from cellstack import (.+)$", source, re.MULTILINE):
                modules += names.split(", ")
            waiting += [f"cellstack/{module}.py" for module in modules]
    return sorted(found)


for module in ("sheet", "readers", "progress", "sweep", "gallery_panels"):
    source_files(f"cellstack/{module}")
sys.path.insert(0, str(Path(source_file("cellstack/sheet.py")).parent.parent))

from cellstack import gallery_panels, image_files, progress, settings, sheet, sweep

# ---- the configuration and the sheet


def read_yaml(path):
    """Read a YAML file of the workflow, by libyaml where PyYAML has it, which takes a tenth of the time."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(Path(workflow.source_path(path)).read_text(encoding="utf-8"), Loader=loader)


STAGES_SCHEMA = read_yaml("../config/schemas/stages.schema.yaml")
CONFIG_SCHEMA = settings.join_schemas(read_yaml("../config/schemas/config.schema.yaml"), STAGES_SCHEMA)
SHEET_SCHEMA = read_yaml("../config/schemas/stacks.schema.yaml")
GALLERY = read_yaml("../config/gallery.yaml")

given = config
config, faults = settings.complete(given, CONFIG_SCHEMA, STAGES_SCHEMA, check=workflow.is_main_process)
presets = read_yaml("../config/presets.yaml") | config["presets"]
resources_folder = workflow.pathvars.get("resources")
simulated_files = {
    f"{resources_folder}/simulated/{name}/{part}.ome.tif"
    for name in config["simulate_stack"]
    for part in ("image", "nuclei", "cells")
}
simulated_shapes = {
    f"{resources_folder}/simulated/{name}/image.ome.tif": simulation["shape"]
    for name, simulation in config["simulate_stack"].items()
}

rows, unreadable = sheet.read_sheet(config["stacks"], SHEET_SCHEMA)
faults += unreadable
if workflow.is_main_process and not unreadable:
    faults += sheet.find_faults(
        rows,
        SHEET_SCHEMA,
        where=config["stacks"],
        presets={*presets, *settings.as_mapping(given.get("presets"))},
        diameters=settings.as_mapping(given.get("diameter_um")),
        objects=config["objects"],
        made=simulated_files | {f"{resources_folder}/cells3d.ome.tif"},
    )
sweep_runs = []
if "sweep" in config:
    sweep_runs, untried = sweep.read_sweep(
        config["sweep"], CONFIG_SCHEMA, STAGES_SCHEMA, presets, check=workflow.is_main_process
    )
    faults += untried
if not os.access(".", os.W_OK):
    faults.append(
        f"{os.getcwd()}: this folder cannot be written to; see to its rights, or give one of your own as --directory"
    )
if faults:
    raise WorkflowError("\n".join([f"{len(faults)} fault(s) in the configuration or the sheet:", *faults]))

# the kinds of object that rules find, in each stack that has their channel; each is scored where the row of its channel names a truth
SEGMENTED = tuple(config["objects"])
CELL_STAGES = ("enhance_membrane", "find_cell_seeds", "segment_cells", "merge_cells")


def kinds_of(stack):
    """List the kinds of object that are found in a stack."""
    return [kind for kind in SEGMENTED if sheet.CHANNEL_OF[kind] in stacks_in_use[stack]]


stacks = {}  # stack: channel: row of the sheet
for row in rows:
    if row["use"]:
        stacks.setdefault(row["stack"], {})[row["channel"]] = row

logs_folder = workflow.pathvars.get("logs")
stacks_in_use, missing = stacks, {}
if config.pop("partial") in (True, "true"):  # taken out, for it changes no result of a stack
    missing = progress.missing_stacks(
        {stack: kinds_of(stack) for stack in stacks}, workflow.pathvars.get("results"), f"{logs_folder}/failed.csv"
    )
    stacks = {stack: channels for stack, channels in stacks.items() if stack not in missing}
    if not stacks:
        raise WorkflowError("config.partial: no stack is complete yet; run without it first")


# ---- functions that rules name


def intermediate(path):
    """Mark a file that only other stages read: it is removed once none needs it any more, unless the configuration keeps it."""
    return path if config["keep_intermediates"] else temp(path)


def sheet_value(column):
    """Look up a cell of the sheet for the wildcards stack and channel."""
    return lambda wildcards: stacks[wildcards.stack][wildcards.channel].get(column)


def channel_of(wildcards):
    """Name the channel whose row holds for a job: its own, or that of its object."""
    return wildcards.get("channel") or sheet.CHANNEL_OF[wildcards.get("object", "nuclei")]


@cache
def stage_arguments(stage, preset, diameter_um):
    """Give the params of a stage under a preset, for objects of a diameter; with "auto" sizes wait until a job knows it."""
    block = settings.merge(config[stage], presets[preset].get(stage, {}))
    return settings.stage_arguments(stage, block, diameter_um, STAGES_SCHEMA)


def stage(name, channel=None):
    """Give the params of a stage, its settings for the stack at hand and the hash of its source; the job tells the channel, if not named."""

    def argument(key):
        def value(wildcards):
            channel = named or channel_of(wildcards)
            row = stacks[wildcards.stack][channel]
            return stage_arguments(name, row["preset"], diameter(wildcards.stack, channel))[key]

        return value

    named = channel
    keys = stage_arguments(name, "default", 1.0)
    return {key: argument(key) for key in keys} | {"source": source_hash(name)}


def stage_block(name, wildcards):
    """Give the settings of a stage for the stack at hand as the configuration writes them."""
    preset = stacks[wildcards.stack][channel_of(wildcards)]["preset"]
    return settings.merge(config[name], presets[preset].get(name, {}))


def compared(comparison, stage, beside=None, presets=presets):
    """Give the panels of a comparison of the gallery for the stack at hand; it may stand beside another of its stage."""
    of_presets = {f"preset {name}": preset[stage] for name, preset in presets.items() if stage in preset}

    def panels(wildcards):
        listed, elsewhere = (GALLERY.get(name, {}) for name in (comparison, beside))
        block, diameter_um = stage_block(stage, wildcards), diameter(wildcards.stack, channel_of(wildcards))
        return gallery_panels.list_panels(stage, listed, block, diameter_um, STAGES_SCHEMA, elsewhere, of_presets)

    return panels


def configured(images):
    """Give a panel of the gallery for each stage and the image that it makes, with its settings for the stack at hand."""

    def panels(wildcards):
        return [
            {
                "title": name,
                "image": image,
                "snippet": gallery_panels.snippet(name, stage_block(name, wildcards), STAGES_SCHEMA),
            }
            for name, image in images.items()
            if image != "corrected" or stage_block(name, wildcards)["steps"]
        ]

    return panels


def split_settings(wildcards):
    """Give the params of split_objects but for its source, for the stack at hand."""
    return {key: value(wildcards) for key, value in stage("split_objects").items() if key != "source"}


def nuclei_preset(wildcards):
    """Name the preset of the nuclei of a stack."""
    return stacks[wildcards.stack]["nuclei"]["preset"]


def files_of(column):
    """List the files behind a cell of the sheet, for the wildcards stack and channel or object."""

    def files(wildcards):
        cell = stacks[wildcards.stack][channel_of(wildcards)][column]
        return image_files.find_images(cell) or [cell]

    return files


def stamp_of(column):
    """Tell the size and the time of the files behind a cell of the sheet, for a file that is replaced by an older one re-runs nothing else."""

    def stamp(wildcards):
        stats = [os.stat(path) for path in files_of(column)(wildcards) if os.path.exists(path)]
        return [sum(stat.st_size for stat in stats), max((stat.st_mtime_ns for stat in stats), default=0)]

    return stamp


def seed_points(wildcards):
    """List the file of seed points set by hand, where a stack takes its seeds from one and it is there; the job says so if it is not."""
    settings_of = stage("find_seeds")
    if settings_of["method"](wildcards) != "points":
        return []
    path = settings_of["options"](wildcards)["path"].replace("{stack}", wildcards.stack)
    return [path] if Path(path).is_file() else []


def seeds_of_object(wildcards):
    """List the seeds of the nuclei of a stack, unless their labels were made elsewhere."""
    is_ours = wildcards.object == "nuclei" and "labels" not in stacks[wildcards.stack]["nuclei"]
    return [f"<results>/{wildcards.stack}/nuclei/seeds.tif"] if is_ours else []


def raw_of_object(wildcards):
    """Name the raw stack of the channel that shows an object kind."""
    return f"<results>/{wildcards.stack}/{channel_of(wildcards)}/raw.tif"


def raw_stacks(wildcards):
    """List the raw stacks of all channels of a stack."""
    return [f"<results>/{wildcards.stack}/{channel}/raw.tif" for channel in stacks[wildcards.stack]]


def channel_names(wildcards):
    """List the channels of a stack, in the order of the sheet."""
    return list(stacks[wildcards.stack])


def nuclei_of_stack(wildcards):
    """List the file of all nuclei of a stack, if it shows nuclei."""
    return [f"<results>/{wildcards.stack}/nuclei/split.tif"] if "nuclei" in stacks[wildcards.stack] else []


def nuclei_within_cells(wildcards):
    """List the raw nuclei of a stack, for a job on its cells."""
    has_nuclei = wildcards.object == "cells" and "nuclei" in stacks[wildcards.stack]
    return [f"<results>/{wildcards.stack}/nuclei/raw.tif"] if has_nuclei else []


def pairs_of_cells(wildcards):
    """List the table that measures cells against nuclei, for the cells of a stack that shows nuclei."""
    has_pairs = wildcards.object == "cells" and "nuclei" in stacks[wildcards.stack]
    return [f"<results>/{wildcards.stack}/cells/pairs.csv"] if has_pairs else []


def of_each_kind(pattern):
    """Fill stack and object into a path for each kind of object that is found, stack by stack."""
    return [pattern.format(stack=stack, object=kind) for stack in stacks for kind in kinds_of(stack)]


def stacks_of(kind):
    """List the stacks in which a kind of object is found."""
    return [stack for stack in stacks if kind in kinds_of(stack)]


def stacks_of_object(wildcards):
    """List the stacks in which the kind of object of a job is found."""
    return stacks_of(wildcards.object)


def tables_of_kind(wildcards):
    """List the tables of one kind of object, of all stacks."""
    return [f"<results>/{stack}/{wildcards.object}/objects.csv" for stack in stacks_of(wildcards.object)]


def groups_of_stacks(wildcards):
    """Give the group of each stack by the column of the sheet that group_by names."""
    cells = user_columns()
    named = {
        stack: cells[f"{stack}/{wildcards.object}"].get(config["group_by"]) for stack in stacks_of(wildcards.object)
    }
    return {stack: group for stack, group in named.items() if group is not None}


def kinds_with(column, stack, kinds):
    """List those kinds of object whose row has a cell in a column of the sheet."""
    return [kind for kind in kinds if column in stacks[stack].get(sheet.CHANNEL_OF[kind], {})]


def stacks_with(column, kinds=("nuclei",)):
    """List the stacks that have a cell in a column of the sheet for one of these kinds of object, in its order."""
    return {stack: None for stack in stacks if kinds_with(column, stack, kinds)}.keys()


def scored_kinds(wildcards):
    """List the kinds of object of a stack that have a truth."""
    return kinds_with("truth", wildcards.stack, SEGMENTED)


def scored_files(name):
    """Give the file of a name for each kind of object that has a truth."""
    return lambda wildcards: [f"<results>/{wildcards.stack}/{kind}/{name}" for kind in scored_kinds(wildcards)]


def evaluation_page(wildcards):
    """Name the page of scores, where the sheet names a truth."""
    if not stacks_with("truth", SEGMENTED):
        raise WorkflowError(
            f"{config['stacks']}: no row names a truth; fill in the column `truth` of the stacks to be scored"
        )
    return "<results>/evaluation.html"


def pattern_of(names):
    """Give the pattern that matches these stacks and no other."""
    return "|".join(sorted(names)) or "(?!)"


def simulation():
    """Give the params of simulate_stack: those of the simulation in the configuration."""

    def parameter(key):
        return lambda wildcards: config["simulate_stack"][wildcards.simulation][key]

    keys = ("shape", "spacing", "diameter_um", "nuclei_count", "seed", "signal_to_noise", "depth_factor")
    return {key: parameter(key) for key in keys} | {"source": source_hash("simulate_stack")}


def resolved_stages():
    """List what the settings of the stages come to in um, with the stacks and the kind of object that share them; see `write_config`."""
    shared = {}
    for stack in stacks:
        for kind in kinds_of(stack):
            channel = sheet.CHANNEL_OF[kind]
            file = "".join(diameter_file(stack, channel))  # an estimated diameter is of one stack
            key = kind, stacks[stack][channel]["preset"], diameter(stack, channel), file
            shared.setdefault(key, []).append(stack)
    return [
        {
            "object": kind,
            "preset": preset,
            "diameter_um": DIAMETER if file else diameter_um,
            "stacks": names,
            "stages": {
                name: stage_arguments(name, preset, diameter_um)
                for name in STAGES_SCHEMA["properties"]
                if name in stages_of(kind) and (file or name != "estimate_diameter")
            },
        }
        for (kind, preset, diameter_um, file), names in shared.items()
    ]


def estimated_diameters():
    """List the files of estimated diameters, in the order of `resolved_stages`."""
    return [
        file for stack in stacks for kind in kinds_of(stack) for file in diameter_file(stack, sheet.CHANNEL_OF[kind])
    ]


def stages_of(kind):
    """List the stages with settings that lead to a kind of object and its results."""
    of_both = ("import_stack", "correct_background", "adjust_contrast", "select_objects", "crop_objects")
    if kind == "cells":
        return (*of_both, *CELL_STAGES)
    return [name for name in STAGES_SCHEMA["properties"] if name not in CELL_STAGES]


def note(wildcards):
    """Say so where a stack is simulated."""
    simulated = any(row["image"] in simulated_files for row in stacks[wildcards.stack].values())
    return "simulated data" if simulated else ""


def note_of_all(wildcards):
    """Say so where all stacks are simulated."""
    rows_in_use = [row for channels in stacks.values() for row in channels.values()]
    return "simulated data" if all(row["image"] in simulated_files for row in rows_in_use) else ""


def user_columns():
    """Give the user's own columns of the sheet, for each stack and object: what the row of a channel leaves empty the other fills in."""
    own = {}
    for stack, channels in stacks_in_use.items():
        cells = {
            channel: {column: cell for column, cell in row.items() if column not in SHEET_SCHEMA["properties"]}
            for channel, row in channels.items()
        }
        for kind in kinds_of(stack):
            others = [channel for channel in sheet.OBJECT_OF if channel != sheet.CHANNEL_OF[kind]]
            own[f"{stack}/{kind}"] = settings.merge(cells.get(others[0], {}), cells[sheet.CHANNEL_OF[kind]])
    return own
