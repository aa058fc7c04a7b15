"""The panels of the gallery: pieces of configuration, each with the params of its stage that it comes to.

Imported while Snakemake parses the workflow, so it stays light.
"""

from cellstack import settings

ONLY_WHERE_CHOSEN = ("points",)  # they need a file


def list_panels(stage, listed, block, diameter_um, stages_schema, elsewhere=None, further=None):
    """List the panels that compare methods of a stage.

    Parameters
    ----------
    stage : str
        Name of the stage.
    listed : dict of str to dict
        By title, what a panel sets in the block of the stage.
    block : dict
        The complete settings of the stage for the stack at hand. What a panel does not set is as there.
    diameter_um : float or None
        Diameter of the object in um.
    stages_schema : dict
        JSON schema of the stages.
    elsewhere : dict of str to dict, optional
        The same as `listed` for another comparison of the stage.
    further : dict of str to dict, optional
        The same as `listed` for panels that go last, and keep no method from having one of its own.

    Returns
    -------
    list of dict
        Those of `listed`, then one for each method of the stage that is in none of these nor elsewhere, then the further ones. Where none
        of them is what the stack at hand has, that goes first. Each has its ``title``; its ``snippet``, which gives it when put into the
        configuration; ``arguments``, what it comes to; ``is_own``, whether the stack at hand has just that.
    """
    methods = settings.method_blocks(stages_schema["properties"][stage], stages_schema)
    own = settings.stage_arguments(stage, block, diameter_um, stages_schema)
    chosen = [block["method"]] if "method" in block else [settings.split_step(step)[0] for step in block["steps"]]
    sets = dict(listed)
    shown = {name for each in [*listed.values(), *(elsewhere or {}).values()] for name in _methods_of(each)}
    for name in methods:
        if name not in shown and (name not in ONLY_WHERE_CHOSEN or name in chosen):
            sets[name] = {"method": name} if "method" in block else {"steps": [name]}
    sets |= further or {}
    panels = [_panel(stage, title, settings.merge(block, each), own, diameter_um, stages_schema) for title, each in sets.items()]
    if not any(panel["is_own"] for panel in panels):
        panels.insert(0, _panel(stage, f"{stage} as configured", block, own, diameter_um, stages_schema))
    return panels


def _methods_of(block):
    """Name the methods that a block chooses."""
    return [settings.split_step(step)[0] for step in block.get("steps", [])] + ([block["method"]] if "method" in block else [])


def _panel(stage, title, block, own, diameter_um, stages_schema):
    arguments = settings.stage_arguments(stage, block, diameter_um, stages_schema)
    return {"title": title, "snippet": snippet(stage, block, stages_schema), "arguments": arguments, "is_own": arguments == own}


def snippet(stage, block, stages_schema):
    """Write out all settings of a stage that have an effect, in the form of the configuration.

    Parameters
    ----------
    stage : str
        Name of the stage.
    block : dict
        Its complete settings.
    stages_schema : dict
        JSON schema of the stages.

    Returns
    -------
    dict
        A configuration with that stage alone: the methods that are chosen, with all of their options, and no others.
    """
    methods = settings.method_blocks(stages_schema["properties"][stage], stages_schema)
    given = {key: value for key, value in block.items() if key not in methods and key not in ("method", "steps")}
    if "steps" in block:
        steps = [settings.split_step(step) for step in block["steps"]]
        given["steps"] = [{name: block[name] | options} if block[name] | options else name for name, options in steps]
    if "method" in block:
        name = block["method"]
        given = {"method": name} | given | ({name: block[name]} if block[name] else {})
    return {stage: given}
