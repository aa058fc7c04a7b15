"""The configuration: its defaults, its faults, and the numbers that it means for an object of a given diameter.

Imported while Snakemake parses the workflow, so it stays light: no NumPy, and jsonschema only where something is checked.
"""

import copy
import difflib

from cellstack.sizes import in_um


def join_schemas(config_schema, stages_schema):
    """Make one schema of that of the configuration and that of the stages, which may stand in it and in each preset.

    Parameters
    ----------
    config_schema, stages_schema : dict
        JSON schemas.

    Returns
    -------
    dict
        The JSON schema of a whole configuration.
    """
    joined = copy.deepcopy(config_schema)
    joined["$defs"] |= stages_schema["$defs"]
    joined["properties"] |= stages_schema["properties"]
    joined["properties"]["presets"]["additionalProperties"] = {
        key: stages_schema[key] for key in ("type", "additionalProperties", "properties")
    }
    return joined


def fill_defaults(value, schema, root=None):
    """Complete a value by the defaults of its schema, at every level.

    Parameters
    ----------
    value : object
        What the user gave; it is not changed.
    schema : dict
        JSON schema of the value.
    root : dict, optional
        The schema that holds ``$defs``, where it is not `schema`.

    Returns
    -------
    object
        The completed value.
    """
    root = root or schema
    schema = follow(schema, root)
    if not isinstance(value, dict):
        return value
    filled = copy.deepcopy(value)
    for name, part in schema.get("properties", {}).items():
        part = follow(part, root)
        if name not in filled and "default" in part:
            filled[name] = copy.deepcopy(part["default"])
    others = schema.get("additionalProperties")
    for name in filled:
        part = schema.get("properties", {}).get(name, others)
        if isinstance(part, dict) and name != "presets":  # a preset sets what it names and nothing else
            filled[name] = fill_defaults(filled[name], part, root)
    return filled


def follow(schema, root):
    """Replace ``$ref`` by what it names.

    Parameters
    ----------
    schema, root : dict
        A JSON schema, and the one that holds its ``$defs``.

    Returns
    -------
    dict
        A schema without ``$ref`` at its top; what stood beside it goes before what it names.
    """
    while "$ref" in schema:
        target = root
        for key in schema["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        schema = {**target, **{key: part for key, part in schema.items() if key != "$ref"}}
    return schema


def merge(base, overlay):
    """Lay one nested mapping over another: mappings are merged, all else is replaced.

    Parameters
    ----------
    base, overlay : dict
        Neither is changed.

    Returns
    -------
    dict
    """
    merged = dict(base)
    for key, value in overlay.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else copy.deepcopy(value)
    return merged


def find_faults(value, schema, where, root=None):
    """Name everything in which a value breaks its schema.

    Parameters
    ----------
    value : object
        What the user gave.
    schema : dict
        JSON schema.
    where : str
        What messages call the place, such as ``"config"``.
    root : dict, optional
        The schema that holds ``$defs``, where it is not `schema`.

    Returns
    -------
    list of str
        One line per fault, with its place, the value and the cure.
    """
    import jsonschema

    validator = jsonschema.Draft202012Validator(schema | {"$defs": (root or schema).get("$defs", {})})
    faults = []
    for error in sorted(validator.iter_errors(value), key=lambda error: [str(key) for key in error.absolute_path]):
        place = _place(where, error.absolute_path)
        if error.validator == "additionalProperties":
            known = list(error.schema.get("properties", {}))
            faults += [f"{place}: unknown key {key!r}; {suggest(key, known)}" for key in error.instance if key not in known]
        elif error.validator == "required":
            faults += [f"{place}: {key} is missing; fill it in" for key in error.validator_value if key not in error.instance]
        elif error.validator == "propertyNames":
            faults.append(f"{place}: {error.instance!r} is no name; use letters, digits and hyphens, beginning with a letter or digit")
        else:
            hint = follow(error.schema, root or schema).get("description")
            faults.append(f"{place}: {error.instance!r} {_expectation(error)}" + (f"; give {hint}" if hint else ""))
    return faults


def _place(where, path):
    return ".".join([where, *map(str, path)]) if path else where


def _expectation(error):
    limit = error.validator_value
    sentences = {
        "enum": f"is not one of {limit}",
        "type": f"is not of type {limit}",
        "minimum": f"is below {limit}",
        "maximum": f"is above {limit}",
        "exclusiveMinimum": f"is not above {limit}",
        "pattern": "is not of the right form",
        "anyOf": "is not of the right form or range",
        "minItems": f"has fewer than {limit} values",
        "maxItems": f"has more than {limit} values",
        "uniqueItems": "names something twice",
    }
    return sentences.get(error.validator, f"is not allowed ({error.validator} {limit})")


def suggest(word, known):
    """Say what was perhaps meant by an unknown word, else what there is."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


def complete(config, schema, stages_schema, *, check):
    """Complete a configuration by its defaults, and name its faults.

    Parameters
    ----------
    config : dict
        What the user gave.
    schema, stages_schema : dict
        JSON schemas of the whole configuration (:func:`join_schemas`) and of the stages.
    check : bool
        Whether to look for faults, which takes longer.

    Returns
    -------
    completed : dict
        The configuration with its defaults, which stand in for faulty keys too, so that the sheet can be checked all the same.
    faults : list of str
        One line per fault.
    """
    if not check:
        return fill_defaults(config, schema), []
    faults = find_faults(config, schema, "config") + find_method_faults(config, stages_schema, "config")
    for name, preset in as_mapping(config.get("presets")).items():
        faults += find_method_faults(as_mapping(preset), stages_schema, f"config.presets.{name}")
    sound = {key: value for key, value in config.items() if not find_faults({key: value}, schema, "config")}
    return fill_defaults(sound, schema), faults


def as_mapping(value):
    """Give the value back if it is a mapping, else an empty one; that it is none is the word of the schema."""
    return value if isinstance(value, dict) else {}


def find_method_faults(settings, stages_schema, where):
    """Name every method that its stage does not have, and every wrong option that stands within `steps`.

    Parameters
    ----------
    settings : dict
        Blocks of stages, complete or in part.
    stages_schema : dict
        JSON schema of the stages.
    where : str
        What messages call the place.

    Returns
    -------
    list of str
        One line per fault.
    """
    faults = []
    for stage, block in settings.items():
        schema = stages_schema["properties"].get(stage)
        if schema is None or not isinstance(block, dict):
            continue  # another check has its word on that
        methods = method_blocks(schema, stages_schema)
        chosen = block["steps"] if isinstance(block.get("steps"), list) else [block["method"]] if "method" in block else []
        for step in chosen:
            name, options = split_step(step)
            place = f"{where}.{stage}.{'steps' if 'steps' in block else 'method'}"
            if name not in methods:
                faults.append(f"{place}: unknown method {name!r}; {suggest(str(name), list(methods))}")
            else:
                faults += find_faults(options, methods[name], f"{place}.{name}", stages_schema)
    return faults


def method_blocks(stage_schema, stages_schema):
    """Give the schemas of a stage's methods: those of its keys that are mappings."""
    followed = {name: follow(part, stages_schema) for name, part in stage_schema["properties"].items()}
    return {name: part for name, part in followed.items() if part.get("type") == "object"}


def split_step(step):
    """Give the name of a step and the options that it sets."""
    return next(iter(step.items())) if isinstance(step, dict) else (step, {})


def stage_arguments(stage, block, diameter_um, stages_schema):
    """Turn the block of a stage into the params of its rule, with all sizes as numbers for one diameter.

    Parameters
    ----------
    stage : str
        Name of the stage.
    block : dict
        Its complete settings.
    diameter_um : float, "auto" or None
        Diameter of the object in um; with "auto" sizes stay as they are, until a job knows it. None where no setting depends on it.
    stages_schema : dict
        JSON schema of the stages.

    Returns
    -------
    dict
        The plain keys of the block; in place of the blocks of methods ``method`` and ``options``, or ``steps`` as a list of
        [name, options]. Options of methods that were not chosen are left out, so that changing them re-runs nothing.
    """
    methods = method_blocks(stages_schema["properties"][stage], stages_schema)
    arguments = {key: in_um(value, diameter_um) for key, value in block.items() if key not in methods and key not in ("steps", "method")}
    if "steps" in block:
        steps = [split_step(step) for step in block["steps"]]
        arguments["steps"] = [[name, in_um(block[name] | options, diameter_um)] for name, options in steps]
    if "method" in block:
        arguments |= {"method": block["method"], "options": in_um(block[block["method"]], diameter_um)}
    return arguments
