"""Errors of the block classify_objects, found when Snakemake reads the configuration."""

import pytest

from cellstack.config.classes import find_errors

COLUMNS = {"nuclei": ["stack", "flags", "volume_um3", "sphericity", "mean_intensity_GFP"]}
EXAMPLES = {"nuclei": {"a": []}}


def errors_of(**block):
    examples = block.pop("given", {})
    return find_errors({"nuclei": {}, "cells": {}, "columns": None} | block, examples, COLUMNS)


def test_a_correct_block():
    assert errors_of() == []
    assert errors_of(nuclei={"bright": "mean_intensity_GFP > otsu and volume_um3 < p90"}) == []
    assert errors_of(columns=["volume_um3"], given=EXAMPLES) == []


CASES = {
    "config.classify_objects.nuclei.a: unknown column 'sphericty'; did you mean 'sphericity'?": {
        "nuclei": {"a": "sphericty > 1"}
    },
    "config.classify_objects.nuclei.a: unknown column 'x'; results/columns.csv lists all": {
        "nuclei": {"a": "volume_um3 > x"}
    },
    "config.classify_objects.nuclei.a: the column 'euler_number' is not measured; add its group": {
        "nuclei": {"a": "euler_number > 1"}
    },
    "config.classify_objects.nuclei.a: the column 'flags' has no numbers": {
        "nuclei": {"a": "flags > 1"}
    },
    "config.classify_objects.nuclei.a: 'nan' is not a number; give one": {
        "nuclei": {"a": "volume_um3 == nan"}
    },
    "config.classify_objects.nuclei.a: '=' at character 12 is not an operator; use `==`": {
        "nuclei": {"a": "volume_um3 = 1"}
    },
    "config.classify_objects.nuclei.other: 'other' is the class of objects that meet no": {
        "nuclei": {"other": "volume_um3 > 1"}
    },
    "config.classify_objects.cells: no stack has cells; add rows of the channel 'membrane'": {
        "cells": {"a": "volume_um3 > 1"}
    },
    "config.classify_objects.nuclei: nuclei have examples too; remove these conditions": {
        "nuclei": {"a": "volume_um3 > 1"},
        "given": EXAMPLES,
    },
    "config.classify_objects.columns: only a classifier uses it; remove it": {
        "columns": ["volume_um3"]
    },
    "config.classify_objects.columns: unknown column 'volume'; did you mean 'volume_um3'?": {
        "columns": ["volume"],
        "given": EXAMPLES,
    },
}


@pytest.mark.parametrize("message", CASES)
def test_errors_have_key_value_and_fix(message):
    (error,) = errors_of(**CASES[message])
    assert error.startswith(message)
