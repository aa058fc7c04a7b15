"""The methods section of a run: what was done to which stacks, and what to cite.

Only what was used is described. Stacks with the same settings share a paragraph; sizes that depend
on the diameter are given in um, as a range if the diameters of the stacks differ.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cellstack.config.lengths import AUTO, in_um
from cellstack.core.counting import counted
from cellstack.publish import sentences
from cellstack.publish.citations import CITATION_OF_PACKAGE, CITATIONS
from cellstack.publish.describe_images import describe_images
from cellstack.publish.wording import (
    escape,
    join_words,
    sentence_case,
    setting_in_words,
    stack_names,
)

SINGULAR = {"nuclei": "nucleus", "cells": "cell"}
ORDER = {  # stages in the order in which they are described
    "nuclei": (
        "import_stack",
        "correct_background",
        "adjust_contrast",
        "denoise",
        "binarize",
        "clean_mask",
        "find_seeds",
        "detect_edges",
        "split_objects",
        "merge_objects",
        "smooth_outlines",
        "select_objects",
    ),
    "cells": (
        "import_stack",
        "correct_background",
        "adjust_contrast",
        "enhance_membrane",
        "find_cell_seeds",
        "segment_cells",
        "merge_cells",
        "select_objects",
    ),
}
LEFT_OUT = {  # sentences on stacks without a step that other stacks have
    "import_stack": "The stacks were not downsampled.",
    "correct_background": "The background was not corrected.",
    "adjust_contrast": "The contrast was not adjusted.",
    "clean_mask": "The mask was not cleaned.",
    "detect_edges": "",
}
PLACEHOLDER = re.compile(r"\{(\w+)(?:\?([^{}|]*)\|([^{}|]*))?\}")
CITED = re.compile(r"@([a-z]+\d{4}|cellstack)\b")


class Description(NamedTuple):
    """A methods section in Markdown, and the BibTeX entries of its citations."""

    text: str
    bibliography: str


class Group(NamedTuple):
    """Stacks with the same settings.

    Attributes
    ----------
    object : str
        Kind of object: nuclei or cells.
    stacks : list of str
    external : bool
        Whether the labels were read from files.
    with_nuclei : bool
        Whether the stacks have nuclei, which are the seeds of cells.
    stages : dict of str to dict
        Params of the stages that were used; sizes that depend on the diameter are as in "0.05 d".
    """

    object: str
    stacks: list[str]
    external: bool
    with_nuclei: bool
    stages: dict[str, dict[str, Any]]


def write_methods(
    groups: Sequence[Group],
    summaries: Iterable[Mapping[str, str]],
    records: Mapping[str, Mapping[str, Any]],
    software: Mapping[str, Any],
    packages: Mapping[str, Sequence[str]],
    *,
    simulated: Sequence[str] = (),
    scored: Mapping[str, bool] | None = None,
    compared: Sequence[Mapping[str, str]] = (),
    comparison: Mapping[str, Any] | None = None,
    measured: Mapping[str, Any] | None = None,
) -> Description:
    """Describe a run.

    Parameters
    ----------
    groups : sequence of Group
    summaries : iterable of dict of str to str
        Rows of ``stacks.csv``, for the diameters in um and the voxel sizes in um.
    records : dict of str to dict
        The records of the import, by ``"stack/channel"``.
    software : dict
        Versions, see :func:`cellstack.run.provenance.software_versions`.
    packages : dict of str to sequence of str
        Python packages that each rule uses.
    simulated : sequence of str
        Stacks that are simulated.
    scored : dict of str to bool, optional
        Stacks with a ground truth, and whether it consists of points.
    compared : sequence of dict of str to str
        Rows of ``groups.csv``; empty if groups are not compared.
    comparison : dict, optional
        How they are compared: ``group_by`` and the block ``compare_groups`` of the configuration.
    measured : dict, optional
        What is measured beside the objects themselves, see
        :meth:`cellstack.config.measurements.Measurements.described`.

    Returns
    -------
    Description
    """
    rows = {(row["stack"], row["object"]): row for row in summaries}
    every = list(dict.fromkeys(stack for group in groups for stack in group.stacks))
    blocks = ["# Methods", describe_images(every, rows, records, simulated)]
    for kind in dict.fromkeys(group.object for group in groups):
        blocks += _object_section([group for group in groups if group.object == kind], rows)
    blocks += ["## Measurements", " ".join([sentences.MEASURED, *_measured(measured or {})])]
    if compared and comparison:
        blocks += ["## Comparison of groups", _compared(compared, comparison)]
    if scored:
        blocks += ["## Accuracy", _scored(scored, every)]
    blocks += ["## Software", _software(groups, records, software, packages, bool(compared))]
    text = "\n\n".join(blocks) + "\n"
    keys = sorted(set(CITED.findall(text)))
    entries = [_own_entry(software) if key == "cellstack" else CITATIONS[key] for key in keys]
    return Description(text, "\n\n".join(entries) + "\n")


def _object_section(
    groups: Sequence[Group], rows: Mapping[tuple[str, str], Mapping[str, str]]
) -> list[str]:
    kind = groups[0].object
    every = [stack for group in groups for stack in group.stacks]
    described = [_describe(group, rows) for group in groups]
    blocks = [f"## {kind.capitalize()}"]
    for number, (group, steps) in enumerate(zip(groups, described, strict=True)):
        if len(groups) == 1:
            blocks.append(" ".join(filter(None, steps.values())))
            continue
        names = sentence_case(stack_names(group.stacks, every))
        texts, before = _differences(steps, described[:number])
        if before is not None:
            like = stack_names(groups[before].stacks, every)
            texts = [f"As for {like}, with these differences.", *texts]
        blocks.append(" ".join([f"**{names}.**", *filter(None, texts)]))
    return [*blocks, *filter(None, [_corrected(kind, rows.values())])]


def _differences(
    steps: Mapping[str, str], others: Sequence[Mapping[str, str]]
) -> tuple[list[str], int | None]:
    """Return the sentences that differ from those of the most similar group, and its index.

    If more than half of them differ, all sentences are returned, and None as the index.
    """
    best, which = list(steps.values()), None
    for number, other in enumerate(others):
        different = [
            steps.get(stage) or LEFT_OUT.get(stage, "")
            for stage in dict.fromkeys([*steps, *other])
            if steps.get(stage, "") != other.get(stage, "")
        ]
        if len(different) <= len(steps) / 2 and len(different) < len(best):
            best, which = different, number
    return best, which


def _describe(group: Group, rows: Mapping[tuple[str, str], Mapping[str, str]]) -> dict[str, str]:
    """Return the sentences about each stage of a group."""
    used = [rows.get((stack, group.object), {}) for stack in group.stacks]
    sizes: list[Any] = sorted({float(row["diameter_um"]) for row in used if row.get("diameter_um")})
    words = {"objects": group.object, "object": SINGULAR[group.object]}
    words["with_nuclei"] = group.with_nuclei  # type: ignore[assignment]
    found = {}
    if group.external:
        found["external"] = _fill_in(sentences.EXTERNAL, [words])
    else:
        found["diameter"] = _diameter(group, used, sizes)
    if segmenter := group.stages.get("run_segmenter"):
        text = sentences.SEGMENTERS[segmenter["method"]]
        found["run_segmenter"] = _fill_in(text, [words | segmenter["options"]])
    for stage in ORDER[group.object]:
        if stage not in group.stages:
            continue
        arguments = [words | in_um(group.stages[stage], size) for size in sizes or [AUTO]]
        found[stage] = " ".join(_stage(stage, arguments, group.with_nuclei))
    return found


def _corrected(kind: str, rows: Iterable[Mapping[str, str]]) -> str:
    """Return a sentence on corrections by hand; empty without any."""
    counts = [
        int(row.get("count_corrections") or 0) - int(row.get("count_corrections_not_applied") or 0)
        for row in rows
        if row["object"] == kind
    ]
    if not (total := sum(counts)):
        return ""
    stacks = counted(sum(count > 0 for count in counts), "stacks")
    return f"The {kind} of {stacks} were corrected by hand ({counted(total, 'corrections')})."


def _diameter(group: Group, rows: Iterable[Mapping[str, str]], sizes: Sequence[float]) -> str:
    if not sizes:
        return ""
    value = setting_in_words("diameter_um", sizes)
    word = SINGULAR[group.object]
    text = f"Sizes were derived from the typical diameter of a {word}, {value}."
    sources = {
        stack: row.get("diameter_source") for stack, row in zip(group.stacks, rows, strict=True)
    }
    for source, how in sentences.DIAMETERS.items():
        stacks = [stack for stack, its in sources.items() if its == source]
        if stacks:
            of = "" if len(stacks) == len(sources) else f"For {stack_names(stacks, ())}, "
            text += f" {sentence_case(f'{of}{how}')}"
    return text


def _stage(stage: str, arguments: Sequence[dict[str, Any]], with_nuclei: bool) -> list[str]:
    first = arguments[0]
    texts: list[tuple[str, Sequence[dict[str, Any]]]] = []
    method = first.get("method")
    before = stage in sentences.STAGES
    if stage == "import_stack" and all(factor == 1 for factor in first["downsample"]):
        before = False
    if stage == "find_seeds" and method in ("laplacian_of_gaussian", "points"):
        before = False  # no distance map
    if before:
        texts.append((sentences.STAGES[stage], arguments))
    if stage == "find_seeds" and before and first["z_scale"] != 1:
        texts.append((sentences.Z_SCALE, arguments))
    if stage == "find_cell_seeds":
        texts.append((sentences.SEEDS_OF_CELLS[with_nuclei], arguments))
    if method:
        merged = [each | each["options"] for each in arguments]
        texts.append((sentences.METHODS[stage][method], merged))
    if stage == "enhance_membrane":
        is_local = first["local_factor"] is not None
        wall = sentences.LOCAL_WALLS if is_local else sentences.ONE_THRESHOLD
        texts.append((wall, arguments))
    for number, (name, _) in enumerate(first.get("steps", [])):
        merged = [each | each["steps"][number][1] for each in arguments]
        texts.append((sentences.METHODS[stage][name], merged))
    if stage == "find_seeds" and first["planes"] in sentences.PLANES:
        texts.append((sentences.PLANES[first["planes"]], arguments))
    if stage == "find_seeds" and first["radius_um"]:
        texts.append((sentences.SEED_RADIUS, arguments))
    if first.get("factor", 1) != 1:
        texts.append((sentences.FACTOR, arguments))
    if first.get("compactness"):
        texts.append((sentences.COMPACTNESS, arguments))
    if stage == "segment_cells" and with_nuclei:
        texts.append((sentences.DISTANCE_OF_CELLS, arguments))
    if stage == "merge_cells":
        texts.append((sentences.SIZE_OF_CELLS[with_nuclei], arguments))
    found = [_fill_in(text, values) for text, values in texts]
    return [*found, *_selection(arguments)] if stage == "select_objects" else found


def _selection(arguments: Sequence[dict[str, Any]]) -> list[str]:
    first, found = arguments[0], []
    if first["max_volume_um3"] is not None:
        found.append(_fill_in(sentences.SELECTED_UP_TO, arguments))
    elif first["min_volume_um3"]:
        found.append(_fill_in(sentences.SELECTED, arguments))
    faces = [sentences.FACE_NAMES[face] for face in first["exclude_touching_faces"]]
    if not faces:
        return [*found, sentences.ALL_FACES]
    return [*found, sentences.FACES.replace("{faces}", join_words(faces, "or"))]


def _fill_in(text: str, arguments: Sequence[Mapping[str, Any]]) -> str:
    """Fill in the settings of a sentence, as a range over the diameters of a group.

    Examples
    --------
    >>> _fill_in("{flat?In 2D|In 3D}, {sigma_um}.", [{"flat": False, "sigma_um": 0.5}])
    'In 3D, 0.5 µm.'
    >>> _fill_in("Up to {max_volume_um3}.", [{"max_volume_um3": 3}, {"max_volume_um3": 4.25}])
    'Up to 3 to 4.25 µm³.'
    """

    def value(match: re.Match[str]) -> str:
        key, if_true, if_false = match.groups()
        values = [each[key] for each in arguments]
        if if_true is not None:
            return str(if_true if values[0] else if_false)
        return setting_in_words(key, values)

    return PLACEHOLDER.sub(value, text)


def _scored(scored: Mapping[str, bool], every: Sequence[str]) -> str:
    texts = []
    for by_points, text in ((False, sentences.SCORED), (True, sentences.SCORED_BY_POINTS)):
        stacks = [stack for stack, points in scored.items() if points == by_points]
        if stacks:
            of = "" if len(stacks) == len(every) else f" of {stack_names(stacks, every)}"
            texts.append(text.replace("The segmentation", f"The segmentation{of}", 1))
    return " ".join(texts)


def _measured(measured: Mapping[str, Any]) -> list[str]:
    """Return what was measured beside the objects themselves: spots, tissue, classes."""
    texts = []
    if background := sentences.BACKGROUNDS.get(measured.get("background") or ""):
        texts.append(background)
    for channel, method in measured.get("tissue", {}).items():
        words = {"channel": escape(channel), "method": sentences.TISSUE_METHODS[method]}
        texts.append(sentences.TISSUE.format(**words))
    if measured.get("regions"):
        texts.append(sentences.REGIONS)
    for channel, options in measured.get("spots", {}).items():
        across, along = options["diameter_um"], options["diameter_z_um"]
        distance = options["min_distance_um"] or across / 2
        words = {
            "channel": escape(channel),
            "diameter": f"{across:g} µm" + (f" ({along:g} µm along z)" if along else ""),
            "threshold": f"{options['threshold']:g}",
            "distance": f"{distance:g} µm" + (" (more along z)" if along else ""),
        }
        texts.append(sentences.SPOTS.format(**words))
    for kind, conditions in measured.get("classes", {}).items():
        named = [f"{escape(name)} (`{condition}`)" for name, condition in conditions.items()]
        words = {"objects": kind, "classes": join_words([*named, "other"])}
        texts.append(sentences.CLASSES.format(**words))
        if any(re.search(r"\botsu\b|\bp\d", condition) for condition in conditions.values()):
            texts.append(sentences.THRESHOLDS[measured["thresholds"]])
    for kind in measured.get("classifiers", ()):
        texts.append(sentences.CLASSIFIER.format(objects=kind))
    return texts


def _compared(rows: Sequence[Mapping[str, str]], comparison: Mapping[str, Any]) -> str:
    """Return how groups were compared: units, their numbers, test, correction and interval."""
    groups = list(dict.fromkeys(row[name] for row in rows for name in ("group_1", "group_2")))
    is_paired = rows[0]["design"] == "paired units"
    tested = [row for row in rows if row["p_value"]]
    counts = [int(row[f"count_units_{number}"]) for row in rows for number in (1, 2)]
    unit = comparison["unit"]
    words = {
        "column": escape(comparison["group_by"]),
        "groups": join_words([escape(group) for group in groups]),
        "unit": f"given by the column {escape(unit)} of the sheet" if unit else "the stack",
        "numbers": " to ".join(dict.fromkeys(f"{each}" for each in (min(counts), max(counts)))),
        "units": "pairs" if is_paired else "units",
        "pair": escape(comparison["pair_by"]),
        "confidence": f"{100 * comparison['confidence']:g}",
        "count_tests": rows[0]["count_tests"],
    }
    texts = [sentences.COMPARED]
    if unit or is_paired:
        texts.append(sentences.UNITS_AVERAGED)
    if is_paired:
        texts.append(sentences.PAIRED_UNITS)
    texts.append(sentences.NUMBER_OF_UNITS)
    if tested:
        texts += [sentences.TESTS[is_paired], sentences.CORRECTED[comparison["correction"]]]
        if any(row["p_all_groups"] for row in rows):
            texts.append(sentences.ALL_GROUPS)
        texts.append(sentences.INTERVALS)
    if len(tested) < len(rows):
        texts.append(sentences.NOT_TESTED)
    return PLACEHOLDER.sub(lambda match: words[match[1]], " ".join(texts))


def _software(
    groups: Sequence[Group],
    records: Mapping[str, Mapping[str, Any]],
    software: Mapping[str, Any],
    packages: Mapping[str, Sequence[str]],
    has_groups: bool,
) -> str:
    rules = {"measure_objects"}.union(*(group.stages for group in groups))
    if has_groups:
        rules.add("compare_groups")
    if any(group.external for group in groups):
        rules.add("import_labels")
    names = {name for rule in rules for name in packages.get(rule, ())} | {"snakemake"}
    if not any("Zarr" in record.get("format", "") for record in records.values()):
        names.discard("zarr")  # the reader of all formats imports it
    versions = software["packages"]
    named = []
    for name in sorted(names & set(versions)):
        key = CITATION_OF_PACKAGE.get(name)
        named.append(f"{name} {versions[name]}" + (f" [@{key}]" if key else ""))
    commit = f" (commit {software['commit']})" if software.get("commit") else ""
    return (
        f"The images were analysed with cellstack {software['cellstack']}{commit} [@cellstack], "
        f"in Python {software['python']} with {join_words(named)}."
    )


def _own_entry(software: Mapping[str, Any]) -> str:
    return (
        "@software{cellstack,\n"
        "  author = {{the cellstack authors}},\n"
        "  title = {cellstack},\n"
        f"  version = {{{software['cellstack']}}}\n"
        "}"
    )
