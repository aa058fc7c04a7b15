"""What each rule declares about its source, its place and its software."""

import ast
import re
import subprocess
import sys

import pytest
import yaml
from study import ROOT, environment

from cellstack import sizes, sweep
from cellstack.settings import fill_defaults

RULES = sorted((ROOT / "rules").glob("*.smk"))
SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))
DIRECTIVES = ("log:", "benchmark:", "resources:", "conda:", "script:", "output:")


def blocks():
    """Give the text of each rule by its name."""
    found = {}
    for path in RULES:
        parts = re.split(r"^rule (\w+):\n", path.read_text(), flags=re.MULTILINE)[1:]
        found |= dict(zip(parts[::2], (part.split("\nuse rule ")[0] for part in parts[1::2]), strict=True))
    return found


def source_files(script):
    """Call the function of that name in common.smk on the files of this checkout."""
    tree = ast.parse((ROOT / "rules" / "common.smk").read_text())
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "source_files")
    space = {"re": re, "Path": type(ROOT), "source_file": lambda name: ROOT / "scripts" / name}
    exec(compile(ast.Module([function], []), "common.smk", "exec"), space)
    return space["source_files"](script)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_hashed_files_are_those_that_python_loads(script):
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r}); import {script}\n"
        "print(*sorted(name for name in sys.modules if name.split('.')[0] == 'cellstack'))"
    )
    process = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True)
    loaded = {name.replace(".", "/") + ".py" for name in process.stdout.split() if "." in name}
    assert loaded | {f"{script}.py", "cellstack/__init__.py"} <= set(source_files(script))
    imports = set()
    for name in source_files(script):
        for node in ast.walk(ast.parse((ROOT / "scripts" / name).read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "cellstack":
                imports |= {f"cellstack/{alias.name}.py" for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cellstack."):
                imports.add(node.module.replace(".", "/") + ".py")
    assert imports | {f"{script}.py", "cellstack/__init__.py"} == set(source_files(script))


def test_each_rule_has_its_script_and_all_directives():
    assert sorted(blocks()) == SCRIPTS
    for name, text in blocks().items():
        assert text.lstrip().startswith('"""'), f"rule {name} has no docstring"
        assert f'"../scripts/{name}.py"' in text
        assert f'source_hash("{name}")' in text or f'stage("{name}"' in text or name == "simulate_stack"
        assert re.search(rf'log:\n +"<logs>/.*{name}\.log"', text)
        assert re.search(rf'benchmark:\n +"<benchmarks>/.*{name}\.tsv"', text)
        assert [directive for directive in DIRECTIVES if f"    {directive}" not in text] == []
        assert "lambda" not in text


def test_a_rule_whose_settings_hold_sizes_takes_the_diameter():
    schema = yaml.safe_load((ROOT / "config" / "schemas" / "stages.schema.yaml").read_text())
    for name, text in blocks().items():
        channel = re.search(rf'\*\*stage\("{name}"(.*)\)', text)
        settings_of = fill_defaults({}, schema["properties"][name], schema) if channel else {}
        wanted = f'diameter=diameter_for("{name}"{channel[1]})' if sizes.has_sizes(settings_of) else None
        assert wanted is None or wanted in text or "diameter=estimated_diameter" in text, name


def test_a_sweep_makes_anew_whatever_depends_on_its_settings():
    text = "".join(path.read_text() for path in RULES if path.stem in ("enhance", "segment", "cells"))
    names = re.findall(r"^rule (\w+):", text, re.MULTILINE)
    # what is scored is an image: rules that make tables alone end in none
    makers = {name for name in names if ".tif" in re.search(r"output:\n(.*?)    log:", blocks()[name], re.DOTALL)[1]}
    assert {"denoise", "split_objects", "merge_cells"} <= makers
    schema = yaml.safe_load((ROOT / "config" / "schemas" / "stages.schema.yaml").read_text())
    known = {*sweep.stage_names(schema), *sweep.NOT_SWEPT, *sweep.WITHOUT_SETTINGS}
    assert makers <= known, "name a rule without settings in sweep.WITHOUT_SETTINGS"
    assert set(sweep.stage_names(schema)) <= blocks().keys()


def test_locks_have_hashes_and_no_address():
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-slurm.txt"):
        lock = (ROOT / name).read_text()
        pins = re.findall(r"^[a-z0-9-]+==.*(?:\n    .*)+", lock, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^\S+==", lock, re.MULTILINE)) > 5
        assert all("--hash=sha256:" in pin for pin in pins)
        assert "://" not in lock


def test_conda_environment_names_the_versions_of_the_lock():
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    environment_file = yaml.safe_load((ROOT / "envs" / "cellstack.yaml").read_text())
    named = dict(pin.split("==") for pin in environment_file["dependencies"][-1]["pip"])
    assert named == {name: pins[name] for name in named}
    direct = set(re.findall(r"^[a-z0-9-]+", (ROOT / "requirements.in").read_text(), re.MULTILINE))
    assert set(named) == direct - {"snakemake"}
