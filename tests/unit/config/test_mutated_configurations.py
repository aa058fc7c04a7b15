"""Fuzz tests of the configuration and of the sweep: each is accepted, or refused in short lines.

Each test tries few by default; CELLSTACK_FUZZ=10000 tries more.
"""

import time

import numpy as np
import pytest
import yaml
from hostile import choose, mutated, mutations, with_mutated_json
from study import ROOT

from cellstack.config.read_study import read_study
from cellstack.errors import InputError

MAX_SECONDS = 20
MAX_LINE, MAX_LINES = 400, 110
CONFIG = {
    "stacks": "stacks.csv",
    "diameter_um": {"nuclei": 10, "cells": 14.5},
    "objects": ["nuclei", "cells"],
    "group_by": "mouse",
    "denoise": {"method": "median", "median": {"radius_um": 0.5}},
    "adjust_contrast": {"steps": ["percentile_stretch", {"percentile_stretch": {"low": 1}}]},
    "binarize": {"method": "per_object"},
    "clean_mask": {"fill_holes": {"max_volume_um3": "0.05 v"}},
    "find_seeds": {"method": "laplacian_of_gaussian"},
    "presets": {"mine": {"label_components": {"connectivity": 6}}},
    "sweep": "sweep.csv",
}
SHEET = "stack,channel,image,mouse\na,nuclei,a.tif,1\na,membrane,a.tif,1\nb,nuclei,a.tif,2\n"
SWEEP = "denoise.method,denoise.median.radius_um,diameter_um.nuclei\nmedian,0.5,8\nnone,,9\n"


@pytest.fixture
def load(tmp_path, monkeypatch, schemas):
    """Return a function that returns the error of a configuration, or an empty text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stacks.csv").write_text(SHEET)
    (tmp_path / "sweep.csv").write_text(SWEEP)
    (tmp_path / "a.tif").touch()

    def from_settings(given):
        start = time.monotonic()
        try:
            read_study(given, schemas, "resources", check=True)
        except InputError as error:
            message = str(error)
            assert all(line.isprintable() for line in message.split("\n"))
            assert max(map(len, message.split("\n"))) <= MAX_LINE
            assert message.count("\n") <= MAX_LINES
        else:
            message = ""
        assert time.monotonic() - start < MAX_SECONDS
        return message

    return from_settings


def test_the_configuration_of_these_tests_is_accepted(load):
    assert load(CONFIG) == ""


@pytest.mark.slow
def test_mutated_values_of_configurations(load):
    rng = np.random.default_rng(20)
    count = mutations(100)
    refused = sum(load(with_mutated_json(CONFIG, rng)) != "" for _ in range(count))
    assert 0.2 * count < refused < count


@pytest.mark.slow
def test_mutated_texts_of_configurations(load):
    rng = np.random.default_rng(21)
    valid = [yaml.safe_dump(CONFIG).encode(), (ROOT / "config" / "config.yaml").read_bytes()]
    loaded = 0
    count = mutations(100)
    for _ in range(count):
        try:
            given = yaml.safe_load(bytes(mutated(choose(rng, valid), rng)))
        except (yaml.YAMLError, ValueError, RecursionError):
            continue  # Snakemake reads the file, and reports this
        if isinstance(given, dict):
            load(given)
            loaded += 1
    assert loaded > 0.05 * count


@pytest.mark.slow
def test_mutated_sweeps(load, tmp_path):
    rng = np.random.default_rng(22)
    count = mutations(100)
    refused = 0
    for _ in range(count):
        (tmp_path / "sweep.csv").write_bytes(mutated(SWEEP.encode(), rng, header=60))
        refused += load(CONFIG) != ""
    assert 0.2 * count < refused < count
