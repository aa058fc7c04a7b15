"""Settings of the stages that a run uses, for its records and its page.

Imported when Snakemake parses the workflow, so it imports nothing heavy.
"""

from functools import partial
from typing import Any

from cellstack.config import settings, sheet
from cellstack.config.lengths import AUTO, DIAMETER
from cellstack.config.schemas import Settings
from cellstack.config.study import Study

CELL_STAGES = ("enhance_membrane", "find_cell_seeds", "segment_cells", "merge_cells")
SHARED_STAGES = (
    "import_stack",
    "correct_background",
    "adjust_contrast",
    "segment_tissue",
    "select_objects",
    "measure_neighbors",
    "crop_objects",
)


def resolved_stages(study: Study) -> list[Settings]:
    """Return the settings of the stages with sizes in um, and the stacks that share them.

    A stack whose diameter is estimated shares them with no other.
    """
    shared: dict[tuple[Any, ...], list[str]] = {}
    for stack in study.complete_stacks:
        for kind in study.objects(stack):
            channel = sheet.CHANNEL_OF[kind]
            preset = study.preset_name(stack, channel)
            diameter_um = study.diameter(stack, channel)
            estimated = stack if diameter_um == AUTO else None
            shared.setdefault((kind, preset, diameter_um, estimated), []).append(stack)
    resolved = []
    for (kind, preset, diameter_um, estimated), stacks in shared.items():
        stages = {}
        for name in study.schemas.stages["properties"]:
            if _leads_to(name, kind) and (estimated or name != "estimate_diameter"):
                stages[name] = study.arguments_of_preset(name, preset, diameter_um)
        resolved.append(
            {
                "object": kind,
                "preset": preset,
                "diameter_um": DIAMETER if estimated else diameter_um,
                "stacks": stacks,
                "stages": stages,
            }
        )
    return resolved


def changed_settings(study: Study) -> list[Settings]:
    """Return the settings of the stages that differ from the default.

    Returns
    -------
    list of dict
        For each kind of object and preset with such settings: ``object``, ``preset``, the
        ``stacks`` that share them, and ``changed``, a list of value and default by key.
    """
    shared: dict[tuple[str, str], list[str]] = {}
    for stack in study.complete_stacks:
        for kind in study.objects(stack):
            preset = study.preset_name(stack, sheet.CHANNEL_OF[kind])
            shared.setdefault((kind, preset), []).append(stack)
    found = []
    for (kind, preset), stacks in shared.items():
        changed: dict[str, list[Any]] = {}
        for stage in filter(partial(_leads_to, object=kind), study.schemas.stages["properties"]):
            block = study.block(stage, stacks[0], sheet.CHANNEL_OF[kind])
            changes = settings.list_changes(stage, block, study.schemas.stages)
            changed |= {key: list(pair) for key, pair in changes.items()}
        if changed:
            each = {"object": kind, "preset": preset, "stacks": stacks, "changed": changed}
            found.append(each)
    return found


def _leads_to(stage: str, object: str) -> bool:
    """Return whether a stage with settings leads to a kind of object."""
    if object == "cells":
        return stage in (*SHARED_STAGES, *CELL_STAGES)
    return stage not in CELL_STAGES
