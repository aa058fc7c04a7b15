"""A reader who knows the name of a rule finds its script, module, tests, options and log."""

import re

import pytest
from study import ROOT

PACKAGE = ROOT / "scripts" / "cellstack"
WITHOUT_MODULE = {  # scripts that only call other modules
    "collect_objects": "measure/collect.py",
    "collect_neighbors": "measure/collect.py",
    "collect_class_distances": "measure/collect.py",
    "collect_stacks": "measure/collect.py",
    "collect_regions": "measure/collect.py",
    "collect_scores": "evaluate/score_columns.py",
    "describe_watershed": "blocks/measure_watershed.py",
    "collect_spot_scores": "evaluate/score_columns.py",
    "collect_spots": "config/columns.py",
    "choose_planes": "segment/choose_planes.py",
    "derive_diameter": "prepare/estimate_diameter.py",
    "describe_columns": "config/columns.py",
    "fetch_cells3d": None,
    "write_config": None,
    "write_provenance": None,
}


def rules_by_phase():
    found = {}
    for path in (ROOT / "rules").glob("*.smk"):
        for name in re.findall(r"^rule (\w+):", path.read_text(), re.MULTILINE):
            found[name] = path.stem
    return found


@pytest.mark.parametrize(("rule", "phase"), rules_by_phase().items())
def test_a_rule_has_a_module_and_tests_of_its_phase(rule, phase):
    if rule in WITHOUT_MODULE:
        return
    assert (PACKAGE / phase / f"{rule}.py").is_file()
    script = (ROOT / "scripts" / f"{rule}.py").read_text()
    assert f"from cellstack.{phase}.{rule} import" in script or (
        f"from cellstack.{phase} import {rule}" in script
    )
    tests = [path.read_text() for path in (ROOT / "tests" / "unit" / phase).glob("test_*.py")]
    imported = re.compile(rf"cellstack\.{phase}(\.| import [^\n]*\b){rule}\b")
    assert any(imported.search(text) for text in tests), f"no tests in tests/unit/{phase}"


def test_the_guide_names_every_rule_and_variant():
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    for pattern in ("`compare_*`", "`try_STAGE`"):
        assert pattern in guide
    texts = [path.read_text() for path in (ROOT / "rules").glob("*.smk")]
    names = re.findall(r"^(?:rule|use rule \w+ as) (\w+)\b", "\n".join(texts), re.MULTILINE)
    others = [name for name in names if not name.startswith(("compare_", "try_"))]
    assert [name for name in others if f"`{name}`" not in guide] == []
