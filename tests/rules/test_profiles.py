"""The profile for Slurm checks that the plugin is installed."""

import importlib.util

import pytest
import yte
from study import ROOT

PROFILE = ROOT / "profiles" / "slurm" / "config.yaml"


def read_profile():
    with PROFILE.open(encoding="utf-8") as file:
        return yte.process_yaml(file, require_use_yte=True)


def test_without_the_plugin_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        read_profile()
    message = str(ended.value)
    assert message.startswith("cellstack: the Slurm plugin of Snakemake is not installed")
    assert "\n" not in message
    (command,) = [part for part in message.split(": ") if part.startswith("python -m pip")]
    assert (ROOT / command.split()[-1]).is_file()


def test_with_the_plugin_the_profile_is_used(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    profile = read_profile()
    assert profile["executor"] == "slurm"
    assert profile["default-resources"] == {"mem_mb": 400, "runtime": 5}
