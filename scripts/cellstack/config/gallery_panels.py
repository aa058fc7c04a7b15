"""The panels of the gallery: pieces of configuration, each with the resulting params of its stage.

Imported when Snakemake parses the workflow, so it imports nothing heavy.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from cellstack.config import settings
from cellstack.config.settings import Schema, Settings

SHOWN_ONLY_IF_CHOSEN = ("points",)  # methods that need a file
COMPARISONS = {  # of each stage with methods that lead to nuclei: keys of config/gallery.yaml
    "correct_background": ("background",),
    "adjust_contrast": ("contrast", "grey_morphology"),
    "denoise": ("denoising",),
    "detect_edges": ("edges",),
    "binarize": ("thresholds",),
    "clean_mask": ("morphology",),
    "find_seeds": ("seeds",),
    "split_objects": (),
    "merge_objects": (),
    "smooth_outlines": (),
}


def list_panels(
    stage: str,
    listed: Mapping[str, Settings],
    block: Settings,
    diameter_um: float | str | None,
    stages_schema: Schema,
    elsewhere: Mapping[str, Settings] | None = None,
    further: Mapping[str, Settings] | None = None,
) -> list[Settings]:
    """Return the panels that compare the methods of a stage.

    Parameters
    ----------
    stage : str
        Name of the stage.
    listed : dict of str to dict
        By title, the settings of the stage that a panel changes.
    block : dict
        Complete settings of the stage for the stack at hand, which apply wherever a panel does not
        change them.
    diameter_um : float, "auto" or None
        Diameter of the object in um.
    stages_schema : dict
        JSON schema of the stages.
    elsewhere : dict of str to dict, optional
        Panels of another comparison of the same stage. Methods in it are not repeated.
    further : dict of str to dict, optional
        Panels that come last. Methods in it have their own panel too.

    Returns
    -------
    list of dict
        The panels of `listed`, one for each method that is neither in `listed` nor in
        `elsewhere`, and those of `further`. If none of them has the settings of the stack at
        hand, a panel with these comes first. Each panel has its ``title``; its ``snippet``, the
        piece of configuration that gives it; ``arguments``, the resulting params; and
        ``is_own``, whether these are the params of the stack at hand.
    """
    own = settings.stage_arguments(stage, block, diameter_um, stages_schema)
    changed = list_changes(stage, listed, block, stages_schema, elsewhere, further)
    panels = [
        _panel(stage, title, settings.merge(block, changes), own, diameter_um, stages_schema)
        for title, changes in changed.items()
    ]
    if not any(panel["is_own"] for panel in panels):
        title = f"{stage} as configured"
        panels.insert(0, _panel(stage, title, block, own, diameter_um, stages_schema))
    return panels


def list_changes(
    stage: str,
    listed: Mapping[str, Settings],
    block: Settings,
    stages_schema: Schema,
    elsewhere: Mapping[str, Settings] | None = None,
    further: Mapping[str, Settings] | None = None,
) -> dict[str, Settings]:
    """Return the settings that each panel of a stage changes, by title.

    The parameters are those of :func:`list_panels`.
    """
    methods = settings.method_blocks(stages_schema["properties"][stage], stages_schema)
    chosen = _methods_of(block)
    shown = set()
    for changes in [*listed.values(), *(elsewhere or {}).values()]:
        shown.update(_methods_of(changes))
    changed = dict(listed)
    for name in methods:
        if name not in shown and (name not in SHOWN_ONLY_IF_CHOSEN or name in chosen):
            changed[name] = {"method": name} if "method" in block else {"steps": [name]}
    return {**changed, **(further or {})}


def of_presets(stage: str, presets: Mapping[str, Settings]) -> dict[str, Settings]:
    """Return the settings of a stage in each preset that sets it, by title of their panel."""
    return {f"preset {name}": preset[stage] for name, preset in presets.items() if stage in preset}


class Alternative(NamedTuple):
    """Settings of a stage that differ from those of a stack."""

    title: str
    changes: Settings
    """The settings that it changes."""


def list_alternatives(
    stage: str,
    block: Settings,
    gallery: Mapping[str, Mapping[str, Settings]],
    presets: Mapping[str, Settings],
    stages_schema: Schema,
) -> dict[str, Alternative]:
    """Return the settings of a stage that all panels of the gallery show.

    Parameters
    ----------
    stage : str
        One of :data:`COMPARISONS`.
    block : dict
        Complete settings of the stage for the stack at hand.
    gallery : dict of str to dict
        Contents of ``config/gallery.yaml``.
    presets : dict of str to dict
        Settings of stages by name of the preset.
    stages_schema : dict
        JSON schema of the stages.

    Returns
    -------
    dict of str to Alternative
        By a name that can be that of a folder. The settings of the stack at hand are included.
    """
    listed: dict[str, Settings] = {}
    for comparison in COMPARISONS[stage]:
        listed |= gallery.get(comparison, {})
    further = of_presets(stage, presets)
    changed = list_changes(stage, listed, block, stages_schema, further=further)
    return {
        re.sub("[^A-Za-z0-9._]+", "-", title): Alternative(title, changes)
        for title, changes in changed.items()
    }


def _methods_of(block: Settings) -> list[str]:
    """Return the methods that a block chooses."""
    steps = [settings.split_step(step)[0] for step in block.get("steps", [])]
    return [*steps, block["method"]] if "method" in block else steps


def _panel(
    stage: str,
    title: str,
    block: Settings,
    own: Settings,
    diameter_um: float | str | None,
    stages_schema: Schema,
) -> Settings:
    arguments = settings.stage_arguments(stage, block, diameter_um, stages_schema)
    return {
        "title": title,
        "snippet": snippet(stage, block, stages_schema),
        "arguments": arguments,
        "is_own": arguments == own,
    }


def snippet(stage: str, block: Settings, stages_schema: Schema) -> Settings:
    """Return all settings of a stage that have an effect, in the form of the configuration.

    Parameters
    ----------
    stage : str
        Name of the stage.
    block : dict
        Complete settings of the stage.
    stages_schema : dict
        JSON schema of the stages.

    Returns
    -------
    dict
        A configuration of that stage alone, with the chosen methods and all of their options.
    """
    methods = settings.method_blocks(stages_schema["properties"][stage], stages_schema)
    given = {
        key: value
        for key, value in block.items()
        if key not in methods and key not in ("method", "steps")
    }
    if "steps" in block:
        given["steps"] = []
        for step in block["steps"]:
            name, options = settings.split_step(step)
            options = block[name] | options
            given["steps"].append({name: options} if options else name)
    if "method" in block:
        name = block["method"]
        given = {"method": name} | given | ({name: block[name]} if block[name] else {})
    return {stage: given}
