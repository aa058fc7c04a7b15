"""The configuration: its defaults, its errors, and the params of the rules.

Imported when Snakemake parses the workflow, so it imports no NumPy, and jsonschema only where
values are checked.
"""

import copy
import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from cellstack.config import renamed
from cellstack.config.lengths import in_um
from cellstack.config.values import quote

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

Schema: TypeAlias = Mapping[str, Any]
Settings: TypeAlias = dict[str, Any]

TYPES = {  # of JSON schema, as messages call them
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "a block of keys",
    "string": "text",
}


def join_schemas(config_schema: Schema, stages_schema: Schema) -> Settings:
    """Return the schema of the whole configuration.

    Parameters
    ----------
    config_schema : dict
        JSON schema of the keys that belong to no stage.
    stages_schema : dict
        JSON schema of the stages, which are allowed in the configuration and in each preset.

    Returns
    -------
    dict
        JSON schema.
    """
    joined = copy.deepcopy(dict(config_schema))
    joined["$defs"] |= stages_schema["$defs"]
    joined["properties"] |= stages_schema["properties"]
    joined["properties"]["presets"]["additionalProperties"] = {
        key: stages_schema[key] for key in ("type", "additionalProperties", "properties")
    }
    return joined


def fill_defaults(value: Any, schema: Schema, root: Schema | None = None) -> Any:
    """Fill in the defaults of a schema at every level.

    Parameters
    ----------
    value : object
        What the user gave; it is not changed.
    schema : dict
        JSON schema of the value.
    root : dict, optional
        The schema that holds ``$defs``, if it is not `schema`.

    Returns
    -------
    object
        The completed value.

    Examples
    --------
    >>> schema = {"properties": {"radius_um": {"default": 2}, "shape": {"default": "ball"}}}
    >>> fill_defaults({"radius_um": 1}, schema)
    {'radius_um': 1, 'shape': 'ball'}
    """
    root = root or schema
    schema = follow(schema, root)
    if not isinstance(value, dict):
        return value
    filled = copy.deepcopy(value)
    properties = schema.get("properties", {})
    for name, part in properties.items():
        part = follow(part, root)
        if name not in filled and "default" in part:
            filled[name] = copy.deepcopy(part["default"])
    others = schema.get("additionalProperties")
    for name in filled:
        part = properties.get(name, others)
        # a preset has no defaults: it overrides only the keys that it contains
        if isinstance(part, dict) and name != "presets":
            filled[name] = fill_defaults(filled[name], part, root)
    return filled


def follow(schema: Schema, root: Schema) -> Schema:
    """Resolve ``$ref`` at the top of a schema.

    Parameters
    ----------
    schema : dict
        JSON schema.
    root : dict
        The schema that holds its ``$defs``.

    Returns
    -------
    dict
        A schema without ``$ref``. Keywords beside ``$ref`` take precedence over the definition.
    """
    while "$ref" in schema:
        target: Any = root
        for key in schema["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        schema = {**target, **{key: part for key, part in schema.items() if key != "$ref"}}
    return schema


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> Settings:
    """Override one nested mapping with another.

    Parameters
    ----------
    base, overlay : dict
        Neither is changed.

    Returns
    -------
    dict
        Mappings of both are merged, any other value of `overlay` replaces that of `base`.

    Examples
    --------
    >>> merge({"denoise": {"method": "gaussian", "radius_um": 1}}, {"denoise": {"method": "none"}})
    {'denoise': {'method': 'none', 'radius_um': 1}}
    """
    merged = dict(base)
    for key, value in overlay.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else copy.deepcopy(value)
    return merged


def find_errors(
    value: object, schema: Schema, where: str, root: Schema | None = None, *, key: str = ""
) -> list[str]:
    """List everything in a value that does not match its schema.

    Parameters
    ----------
    value : object
        What the user gave.
    schema : dict
        JSON schema of the value.
    where : str
        Name of the place in messages, such as ``"config"``.
    root : dict, optional
        The schema that holds ``$defs``, if it is not `schema`.
    key : str, optional
        Configuration key of the value, such as ``"binarize.per_object"``, by which renamed keys
        in it are found. Empty for the whole configuration.

    Returns
    -------
    list of str
        One line per error, with its place, the value and a fix.
    """
    import jsonschema

    root = root or schema
    validator = jsonschema.Draft202012Validator({**schema, "$defs": root.get("$defs", {})})
    errors = []
    for error in sorted(validator.iter_errors(value), key=_order):
        place = ".".join([where, *map(str, error.absolute_path)])
        if error.validator == "additionalProperties":
            path = [*(key.split(".") if key else []), *map(str, error.absolute_path)]
            errors += _unknown_keys(error, place, path, root)
        elif error.validator == "required":
            errors += [
                f"{place}: {name} is missing; fill it in"
                for name in error.validator_value
                if name not in error.instance
            ]
        elif error.validator == "propertyNames":
            errors.append(
                f"{place}: {quote(error.instance)} is not a valid name; "
                "use letters, digits and hyphens, beginning with a letter or digit"
            )
        else:
            hint = follow(error.schema, root).get("description")
            advice = f"; give {hint}" if hint else ""
            empty = error.instance is None
            problem = "is empty" if empty else f"{quote(error.instance)} {_expectation(error)}"
            if _is_quoted_number(error, validator):
                problem = f"{quote(error.instance)} is text, not a number"
                advice = (
                    "; write it without quotes. In braces after --config all values are text: "
                    "write them in a file for --configfile instead"
                )
            errors.append(f"{place}: {problem}{advice}")
    return list(dict.fromkeys(errors))  # jsonschema repeats what is missing for each key


def _is_quoted_number(error: "ValidationError", validator: "Validator") -> bool:
    """Return whether a value is a number in quotes, which would be valid without them."""
    text: Any = error.instance
    try:
        number = float(text) if isinstance(text, str) else None
    except ValueError:
        return False
    return number is not None and validator.evolve(schema=error.schema).is_valid(number)


def _order(error: "ValidationError") -> list[str]:
    return [str(key) for key in error.absolute_path]


def _unknown_keys(
    error: "ValidationError", place: str, path: Sequence[str], root: Schema
) -> list[str]:
    """Return the errors for unknown keys, and those within the values of renamed keys."""
    schema: Any = error.schema
    given: Any = error.instance
    properties = schema.get("properties", {})
    if path[:1] == ["presets"]:
        path = path[2:]  # the keys of a preset are those of the configuration
    errors = []
    for name in given:
        if name in properties:
            continue
        current = renamed.current_key(".".join([*path, str(name)]))
        last = current.split(".")[-1]
        if last in properties:
            errors.append(f"{place}: {renamed.advice(name, last)}")
            errors += find_errors(
                given[name], properties[last], f"{place}.{name}", root, key=current
            )
        else:
            hint = suggest(str(name), properties)
            errors.append(f"{place}: unknown key {quote(name)}; {hint}")
    return errors


def _expectation(error: "ValidationError") -> str:
    limit = error.validator_value
    types = limit if isinstance(limit, list) else [limit]
    sentences = {
        "enum": f"is not one of {limit}",
        "type": f"is not {' or '.join(TYPES.get(str(each), str(each)) for each in types)}",
        "minimum": f"is below {limit}",
        "maximum": f"is above {limit}",
        "exclusiveMinimum": f"is not above {limit}",
        "pattern": "has the wrong format",
        "anyOf": "has the wrong format or is out of range",
        "minItems": f"has fewer than {limit} values",
        "maxItems": f"has more than {limit} values",
        "uniqueItems": "contains duplicates",
    }
    return sentences.get(str(error.validator), f"is not allowed ({error.validator} {limit})")


def suggest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is closest to an unknown one, or all known words.

    Examples
    --------
    >>> suggest("medain", ["gaussian", "median"])
    "did you mean 'median'?"
    >>> suggest("x", ["gaussian", "median"])
    'known: gaussian, median'
    """
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


def complete(
    config: Mapping[str, Any], schema: Schema, stages_schema: Schema, *, check: bool
) -> tuple[Settings, list[str]]:
    """Fill in the defaults of a configuration and list its errors.

    Parameters
    ----------
    config : dict
        What the user gave.
    schema : dict
        JSON schema of the whole configuration, see :func:`join_schemas`.
    stages_schema : dict
        JSON schema of the stages.
    check : bool
        Whether to look for errors, which takes longer.

    Returns
    -------
    completed : dict
        The configuration with its defaults. Keys with errors have their defaults too, so that the
        sheet can be checked in the same run.
    errors : list of str
        One line per error.
    """
    if not check:
        return fill_defaults(dict(config), schema), []
    errors = find_errors(config, schema, "config")
    errors += find_method_errors(config, stages_schema, "config")
    for name, preset in as_mapping(config.get("presets")).items():
        errors += find_method_errors(as_mapping(preset), stages_schema, f"config.presets.{name}")
    valid = {
        key: value
        for key, value in config.items()
        if not find_errors({key: value}, schema, "config")
    }
    return fill_defaults(valid, schema), errors


def as_mapping(value: object) -> Settings:
    """Return a value that is a mapping, and an empty mapping for any other value."""
    return value if isinstance(value, dict) else {}


def find_method_errors(settings: Mapping[str, Any], stages_schema: Schema, where: str) -> list[str]:
    """List the unknown methods of stages, and the errors in options that are given in `steps`.

    Parameters
    ----------
    settings : dict
        Blocks of stages, complete or in part.
    stages_schema : dict
        JSON schema of the stages.
    where : str
        Name of the place in messages.

    Returns
    -------
    list of str
        One line per error. What the schema of a stage refuses is left to :func:`find_errors`.
    """
    errors = []
    for stage, block in settings.items():
        current_stage = renamed.current_key(str(stage))
        schema = stages_schema["properties"].get(current_stage)
        if schema is None or not isinstance(block, dict):
            continue
        methods = method_blocks(schema, stages_schema)
        chosen = [block["method"]] if "method" in block else []
        if isinstance(block.get("steps"), list):
            chosen = block["steps"]
        place = f"{where}.{stage}.{'steps' if 'steps' in block else 'method'}"
        for step in chosen:
            if not (isinstance(step, str) or (isinstance(step, dict) and len(step) == 1)):
                continue
            name, options = split_step(step)
            current = renamed.current_key(f"{current_stage}.{name}")
            method = current.removeprefix(f"{current_stage}.")
            if method not in methods:
                hint = suggest(str(name), methods)
                errors.append(f"{place}: unknown method {quote(name)}; {hint}")
                continue
            if method != name:
                errors.append(f"{place}: {renamed.advice(name, method)}")
            errors += find_errors(
                options, methods[method], f"{place}.{name}", stages_schema, key=current
            )
    return errors


def method_blocks(stage_schema: Schema, stages_schema: Schema) -> dict[str, Schema]:
    """Return the schemas of the options of a stage's methods, by method.

    Parameters
    ----------
    stage_schema : dict
        JSON schema of one stage. Its keys that are mappings are its methods.
    stages_schema : dict
        JSON schema of all stages.

    Returns
    -------
    dict of str to dict
    """
    followed = {
        name: follow(part, stages_schema) for name, part in stage_schema["properties"].items()
    }
    return {name: part for name, part in followed.items() if part.get("type") == "object"}


def split_step(step: str | Mapping[str, Any]) -> tuple[str, Any]:
    """Return the method of a step and the options that the step sets.

    Examples
    --------
    >>> split_step("fill_holes")
    ('fill_holes', {})
    >>> split_step({"smooth": {"sigma_um": 1}})
    ('smooth', {'sigma_um': 1})
    """
    return (step, {}) if isinstance(step, str) else next(iter(step.items()))


def stage_arguments(
    stage: str,
    block: Mapping[str, Any],
    diameter_um: float | str | None,
    stages_schema: Schema,
) -> Settings:
    """Return the params of a rule for the settings of its stage.

    Parameters
    ----------
    stage : str
        Name of the stage.
    block : dict
        Complete settings of the stage.
    diameter_um : float, "auto" or None
        Diameter of the object in um, by which sizes such as "0.05 d" are converted. With "auto"
        they stay as they are, and a job converts them. None if no setting depends on it.
    stages_schema : dict
        JSON schema of the stages.

    Returns
    -------
    dict
        The plain keys of the block, and ``method`` with its ``options``, or ``steps`` as a list of
        [method, options]. Options of methods that are not chosen are left out, so that changing
        them re-runs nothing.
    """
    methods = method_blocks(stages_schema["properties"][stage], stages_schema)
    arguments = {
        key: in_um(value, diameter_um)
        for key, value in block.items()
        if key not in methods and key not in ("steps", "method")
    }
    if "steps" in block:
        steps = [split_step(step) for step in block["steps"]]
        arguments["steps"] = [
            [name, in_um(block[name] | options, diameter_um)] for name, options in steps
        ]
    if "method" in block:
        arguments |= {
            "method": block["method"],
            "options": in_um(block[block["method"]], diameter_um),
        }
    return arguments


def list_changes(
    stage: str, block: Mapping[str, Any], stages_schema: Schema
) -> dict[str, tuple[Any, Any]]:
    """Return the settings of a stage that differ from their defaults.

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
    dict of str to (object, object)
        Value and default by key, such as ``"denoise.median.radius_um"``. Options of methods that
        are not chosen are left out, as they have no effect.
    """
    default = fill_defaults({}, stages_schema["properties"][stage], stages_schema)
    methods = method_blocks(stages_schema["properties"][stage], stages_schema)
    chosen = {block.get("method"), *(split_step(step)[0] for step in block.get("steps", ()))}
    changes: dict[str, tuple[Any, Any]] = {}
    for key, usual in default.items():  # in the order of the schema, not in that of the user
        if key not in methods:
            pairs = {f"{stage}.{key}": (block[key], usual)}
        elif key in chosen:
            pairs = {
                f"{stage}.{key}.{name}": (option, usual.get(name))
                for name, option in sorted(block[key].items())
            }
        else:
            continue
        changes |= {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return changes
