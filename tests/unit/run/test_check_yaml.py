"""Errors in configuration files that Snakemake does not report, or without the file and line."""

import logging
from unittest import mock

import pytest
from snakemake.exceptions import WorkflowError

from cellstack.run.check_yaml import check_yaml
from cellstack.run.rules import open_study


def check(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    check_yaml(path)


@pytest.mark.parametrize(
    "text",
    [
        "diameter_um: {nuclei: 10}\ndenoise: {method: median, median: {radius_um: 1}}\n",
        "presets:\n  a: {denoise: {method: none}}\n  b: {denoise: {method: none}}\n",
        "a: &x {method: li}\nb: {<<: *x, c: [{method: li}, {method: li}]}\n",
    ],
)
def test_valid_files_are_accepted(tmp_path, text):
    check(tmp_path, text)
    check_yaml(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("text", "key", "lines"),
    [
        ("denoise:\n  method: median\nstacks: a.csv\ndenoise:\n  median: {}\n", "denoise", (1, 4)),
        ("denoise:\n  method: median\n  method: none\n", "method", (2, 3)),
        ("a:\n- b: 1\n  b: 2\n", "b", (2, 3)),
    ],
)
def test_a_repeated_key_is_an_error(tmp_path, text, key, lines):
    expected = f"config.yaml: the key '{key}' is in line {lines[0]} and again in line {lines[1]}"
    with pytest.raises(WorkflowError, match=expected):
        check(tmp_path, text)


@pytest.mark.parametrize("number", ["010", "-0012", "10:30", "1:0.5", "00_7"])
def test_numbers_that_yaml_reads_as_others_are_refused(tmp_path, number):
    text = f"a: &x\n  b: [1, {number}]\nc: *x\n"
    with pytest.raises(WorkflowError) as error:
        check(tmp_path, text)
    (line,) = str(error.value).splitlines()
    assert f"config.yaml: '{number}' in line 2 is not read as a decimal number; write it" in line
    check(tmp_path, text.replace(number, f"'{number}'"))


@pytest.mark.parametrize(
    "number", ["0", "-0", "00", "0.5", "0.05", "10", "1e3", "0x10", "08", "a:0"]
)
def test_other_numbers_are_accepted(tmp_path, number):
    check(tmp_path, f"a: {number}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "config.yaml is empty: write at least"),
        ("# only a comment\n", "config.yaml is empty"),
        ("- diameter_um\n", "config.yaml has no keys"),
        ("10", "config.yaml has no keys"),
        ("a: [1\n", "config.yaml is not valid YAML: correct this line"),
    ],
)
def test_files_without_keys_are_named(tmp_path, text, message):
    with pytest.raises(WorkflowError, match=message):
        check(tmp_path, text)


def test_each_file_given_with_configfile_is_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", True)  # open_study changes it
    (tmp_path / "a.yaml").write_text("diameter_um: {nuclei: 10}\n")
    (tmp_path / "b.yaml").write_text("seed: 1\nseed: 2\n")
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    workflow = mock.Mock(configfiles=files, is_main_process=True)
    with pytest.raises(WorkflowError, match=r"b\.yaml: the key 'seed' is in line 1 and again"):
        open_study(workflow, {}, "config")
