"""Which package may import which: arrows go down, and there are no circles."""

import ast
import re
import sys
from graphlib import TopologicalSorter

import pytest
from study import ROOT

SCRIPTS = ROOT / "scripts"
PACKAGE = SCRIPTS / "cellstack"
STANDARD_LIBRARY = sys.stdlib_module_names
STAGES = {
    "prepare",
    "enhance",
    "segment",
    "cells",
    "measure",
    "tissue",
    "spots",
    "evaluate",
    "sweep",
    "compare",
}
BASE = {"cellstack", "core", "files", "config"}  # "cellstack": errors.py and __init__.py
ALLOWED = {
    "cellstack": set(),
    "core": {"cellstack"},
    "files": {"cellstack", "core"},
    "config": {"cellstack", "core", "files"},
    "prepare": BASE | {"segment"},  # estimate_diameter repeats the segmentation
    "enhance": BASE,
    "segment": BASE,
    "cells": BASE,
    "blocks": BASE | {"enhance", "segment", "cells"},  # blocks go through the stages of a stack
    "measure": BASE,
    "tissue": BASE | {"segment", "prepare"},  # thresholds, masks and labels of other phases
    "spots": BASE,
    "evaluate": BASE,
    "compare": BASE,
    "sweep": BASE | {"evaluate"},  # a sweep ranks scores
    "figures": BASE | STAGES,
    "pages": BASE | STAGES | {"figures"},
    "gallery": BASE | STAGES | {"figures", "pages"},
    "publish": BASE,
    "run": BASE | {"segment"},  # commands of segmenters are checked before anything runs
    "init": BASE,
    "view": BASE | {"segment"},  # corrections are shown as the workflow applies them
}
ARRAY_PACKAGES = {"cc3d", "cv2", "edt", "fastremap", "numpy", "scipy", "skimage", "SimpleITK"}


def package_of(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 2 else "cellstack"


def module_name(path):
    return ".".join(path.relative_to(SCRIPTS).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path):
    """Yield each module that a file imports, and whether it does so when it is imported itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        at_start = node in tree.body
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_start) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                file = SCRIPTS / f"{node.module.replace('.', '/')}/{alias.name}.py"
                yield (f"{node.module}.{alias.name}" if file.is_file() else node.module), at_start


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_arrows_go_down(path):
    own = package_of(module_name(path))
    if path.name == "__init__.py":
        return
    for module, _ in imports_of(path):
        if module.startswith("cellstack"):
            other = package_of(module)
            assert other == own or other in ALLOWED[own], module


def test_no_circles():
    graph = {}
    for path in MODULES:
        graph[module_name(path)] = {
            module
            for module, at_start in imports_of(path)
            if at_start and module.startswith("cellstack.")
        }
    TopologicalSorter(graph).prepare()


def test_all_packages_are_in_the_table():
    packages = [path.parent for path in PACKAGE.glob("*/__init__.py")]  # __pycache__ is none
    assert {package_of(f"{module_name(path)}.x") for path in packages} == (
        ALLOWED.keys() - {"cellstack"}
    )


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parent.name == "core"], ids=module_name
)
def test_core_knows_arrays_only(path):
    known = ARRAY_PACKAGES | {"cellstack"}
    for module, _ in imports_of(path):
        root = module.partition(".")[0]
        assert root in known or root in STANDARD_LIBRARY, module


def test_only_run_knows_snakemake():
    named = [
        path for path in MODULES if any(m.startswith("snakemake") for m, _ in imports_of(path))
    ]
    assert {path.parent.name for path in named} == {"run"}


def test_packages_have_empty_init_files():
    for path in PACKAGE.glob("*/**/__init__.py"):
        assert path.read_text() == "", path


def test_the_same_words_in_rules_and_tests():
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    rules = {path.stem for path in (ROOT / "rules").glob("*.smk")}
    assert rules - {"common", "library", "running"} <= packages
    tests = {path.name for path in (ROOT / "tests" / "unit").iterdir() if path.is_dir()}
    assert {name for name in tests if not re.match("__", name)} == packages
