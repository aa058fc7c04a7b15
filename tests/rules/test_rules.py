"""What each rule declares: its script, log, source, inputs and software."""

import re

import pytest
import yaml
from study import ROOT, SCRIPTS

from cellstack.config import lengths, sweep_table
from cellstack.config.recipes import NEEDS, WITH_NUCLEI
from cellstack.config.settings import fill_defaults

RULES = sorted((ROOT / "rules").glob("*.smk"))
DIRECTIVES = ("log:", "benchmark:", "resources:", "conda:", "script:", "output:")
REQUIREMENTS = ROOT / "envs" / "requirements"
SWEPT_FILES = ("enhance", "segment", "cells")  # files of rules


def read_blocks(files=RULES):
    """Return the text of each rule, by its name."""
    found = {}
    for path in files:
        parts = re.split(r"^rule (\w+):\n", path.read_text(), flags=re.MULTILINE)[1:]
        texts = (part.split("\nuse rule ")[0] for part in parts[1::2])
        found |= dict(zip(parts[::2], texts, strict=True))
    return found


def part_of(text, directive):
    """Return the lines of a directive of a rule."""
    match = re.search(rf"^    {directive}:\n(.*?)(?=^    \w|\Z)", text, re.MULTILINE | re.DOTALL)
    return match[1] if match else ""


BLOCKS = read_blocks()
STAGES = yaml.safe_load((ROOT / "config" / "schemas" / "stages.schema.yaml").read_text())


def test_each_rule_has_its_script_and_all_directives():
    assert sorted(BLOCKS) == SCRIPTS
    for name, text in BLOCKS.items():
        assert text.lstrip().startswith('"""'), f"rule {name} has no docstring"
        assert f'"../scripts/{name}.py"' in text
        has_source = f'source_hash("{name}")' in text or f'params_of("{name}"' in text
        assert has_source or name == "simulate_stack"
        assert re.search(rf'log:\n +"<logs>/.*{name}\.log"', text)
        assert re.search(rf'benchmark:\n +"<benchmarks>/.*{name}\.tsv"', text)
        assert [directive for directive in DIRECTIVES if f"    {directive}" not in text] == []


def test_no_logic_in_the_rules():
    for path in [ROOT / "Snakefile", *RULES]:
        text = path.read_text()
        assert "lambda" not in text, path
        if path.stem not in ("common", "library"):
            assert "def " not in text, path
    for name, limit in (("library", 25), ("common", 80)):
        assert len((ROOT / "rules" / f"{name}.smk").read_text().splitlines()) <= limit


def test_a_rule_whose_settings_hold_sizes_takes_the_diameter():
    for name, text in BLOCKS.items():
        channel = re.search(rf'\*\*params_of\("{name}"(.*)\)', text)
        settings = fill_defaults({}, STAGES["properties"][name], STAGES) if channel else {}
        if lengths.has_sizes(settings):
            expected = f'diameter=diameter_for("{name}"{channel[1]})'
            assert expected in text or "diameter=by_wildcards(inputs.diameter_file)" in text, name


def test_a_script_with_threads_has_a_rule_with_threads():
    for name, text in BLOCKS.items():
        script = (ROOT / "scripts" / f"{name}.py").read_text()
        if "threads: int" in script:
            assert "    threads: cores\n" in text, name


def test_each_input_is_made_by_the_rule_that_it_names():
    for name, text in BLOCKS.items():
        for stage, path in re.findall(r'made_by\(\s*"(\w+)",\s*"([^"]+)"', text):
            made = re.sub(r"\{\w+\}", "X", part_of(BLOCKS[stage], "output"))
            wanted = re.sub(r"/channels/\w+/", "/channels/X/", re.sub(r"\{\w+\}", "X", path))
            assert f'"{wanted}"' in made, (name, path)


def test_the_recipes_follow_the_rules():
    for stage, needed in NEEDS.items():
        text = part_of(BLOCKS[stage], "input")
        named = set(re.findall(r'made_by\(\s*"(\w+)"', text))
        named |= set(re.findall(r'inputs\.cells_of_complete, stage="(\w+)"', text))
        if "inputs.binarize_contrast" in text:
            named.add("adjust_contrast")
        if "inputs.no_data" in text:
            named.add("import_stack")
        assert named == set(needed), stage
        assert ("inputs.segmented_nuclei" in text) == (stage in WITH_NUCLEI), stage


def test_a_sweep_repeats_whatever_depends_on_its_settings():
    blocks = read_blocks([path for path in RULES if path.stem in SWEPT_FILES])
    # only images are scored, so rules that make tables alone do not matter
    makers = {name for name, text in blocks.items() if ".tif" in part_of(text, "output")}
    assert {"denoise", "split_objects", "merge_cells"} <= makers
    by_hand = {
        "adjust_contrast",
        "split_objects",
        "select_objects",
        "correct_objects",
    }  # see Recipes.needs
    assert makers <= NEEDS.keys() | by_hand
    swept = set(sweep_table.stage_names(STAGES))
    assert swept <= makers
    for name in swept:
        text = part_of(BLOCKS[name], "input")
        assert '"<results>' not in re.sub(r"made_by\([^)]*\)", "", text), name


def test_locks_have_hashes_and_no_address():
    for name in ("run", "dev", "formats", "export", "classify", "slurm", "view", "peers"):
        lock = (REQUIREMENTS / f"{name}.txt").read_text()
        pins = re.findall(r"^[a-z0-9-]+==.*(?:\n    .*)+", lock, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^\S+==", lock, re.MULTILINE)) > 1
        assert all("--hash=sha256:" in pin for pin in pins)
        assert "://" not in lock


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ("cellstack", ("formats", "run")),
        ("export", ("export", "run")),
        ("classify", ("classify", "run")),
    ],
)
def test_conda_environments_name_the_versions_of_the_locks(environment, names):
    locks = [(REQUIREMENTS / f"{name}.txt").read_text() for name in names]
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", "\n".join(locks), re.MULTILINE))
    conda = yaml.safe_load((ROOT / "envs" / f"{environment}.yaml").read_text())
    named = dict(pin.split("==") for pin in conda["dependencies"][-1]["pip"])
    assert named == {name: pins[name] for name in named}
    inputs = [(REQUIREMENTS / f"{name}.in").read_text() for name in names]
    direct = re.findall(r"^[a-z][a-z0-9-]*", "\n".join(inputs), re.MULTILINE)
    assert set(named) == set(direct) - {"snakemake", "pygments"}


def test_snakemake_is_capped():
    text = (REQUIREMENTS / "run.in").read_text()
    assert re.search(r"^snakemake>=9\.20,<10$", text, re.MULTILINE)
    assert 'min_version("9.20")' in (ROOT / "Snakefile").read_text()
