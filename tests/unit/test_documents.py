"""The documents against what they describe: schemas, tables, files, commands."""

import re

import pytest
import yaml
from conftest import ROOT

from cellstack import settings, sheet
from cellstack.columns import COLUMNS, PAIR_COLUMNS
from cellstack.score_columns import TABLES

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "config/README.md", "docs/cluster.md", "docs/reliability.md")
NO_DEFAULT = "none"
UNITS = {"um": r"_um$", "um2": r"_um2$", "um3": r"_um3$", "voxel": r"_voxels$|^bbox_", "raw value": r"_intensity_<channel>$"}
UNITS |= {"voxel side2": r"_unit_spacing$"}
SCORE_UNITS = UNITS | {"bit": "_bit$", "%": "_percent$"}
WITHOUT_UNIT = r"stack|object|flags|(split_|nucleus_split_)?label|sphericity|solidity|extent|euler_number|(touches|direction)_.*"
WITHOUT_UNIT += r"|nuclei_count|nucleus_to_cell_volume_ratio"


def load(name):
    return yaml.safe_load((ROOT / "config" / "schemas" / f"{name}.schema.yaml").read_text(encoding="utf-8"))


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


STAGES = load("stages")
CONFIG = settings.join_schemas(load("config"), STAGES)
ROWS = load("stacks")


def properties(schema, root, path=()):
    """Yield the path and the followed schema of each property, at every level."""
    named = schema.get("properties", {})
    others = schema.get("additionalProperties")
    if path != ("presets",) and isinstance(others, dict):  # a preset repeats the stages; the names of simulations are free
        yield from properties(others, root, path)
    for name, part in named.items():
        part = settings.follow(part, root)
        yield (*path, name), part
        yield from properties(part, root, (*path, name))


def is_block(part):
    return part.get("type") == "object" and ("properties" in part or part.get("additionalProperties") is False)


def tables(text, header):
    """Yield the heading above, and the cells by column, of each row of the tables with this first column."""
    heading, columns = "", None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else None
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif cells is None:
            columns = None
        elif columns is None:
            columns = cells
        elif columns[0] == header and not set(line) <= set("|-"):
            yield heading, dict(zip(columns, cells, strict=True))


def section(text, heading):
    return re.split(r"^#+ ", text.split(f"# {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def fenced(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def documented_keys():
    blocks = {name for name, part in CONFIG["properties"].items() if "properties" in part or name == "simulate_stack"}
    for heading, row in tables(read("config/README.md"), "key"):
        key = row["key"].strip("`")
        yield f"{heading}.{key}" if heading in blocks else key, row


def test_every_key_is_documented_with_its_default():
    keys = {".".join(path): part.get("default") for path, part in properties(CONFIG, CONFIG) if not is_block(part)}
    documented = {
        key: None if row["default"] == NO_DEFAULT else yaml.safe_load(row["default"].strip("`")) for key, row in documented_keys()
    }
    assert documented == keys


def test_every_key_says_what_it_does():
    assert [key for key, row in documented_keys() if not row["effect"]] == []


def test_every_method_is_documented_in_its_section():
    text = read("config/README.md")
    documented = {stage: section(text, stage) for stage in STAGES["properties"]}
    assert [f"{stage}.{name}" for stage, part in documented.items() for name in read_methods(stage) if f"`{name}`" not in part] == []


def read_methods(stage):
    """Name the methods of a stage: the decorated functions of its module."""
    return re.findall(r"^@METHODS\ndef (\w+)", read(f"scripts/cellstack/{stage}.py"), re.MULTILINE)


@pytest.mark.parametrize("stage", STAGES["properties"])
def test_the_schema_has_the_methods_of_the_code(stage):
    blocks = STAGES["properties"][stage]["properties"]
    in_schema = [name for name, part in blocks.items() if settings.follow(part, STAGES).get("type") == "object"]
    assert sorted(in_schema) == sorted(read_methods(stage))


def test_every_column_of_the_sheet_is_documented():
    rows = {row["column"].strip("`"): row for _, row in tables(read("config/README.md"), "column")}
    assert rows.keys() == ROWS["properties"].keys()
    assert {column for column, row in rows.items() if row["needed"] == "yes"} == set(ROWS["required"])
    for column, part in ROWS["properties"].items():
        row = rows[column]
        assert row["type"] and row["meaning"] and row["example"], column
        if "default" in part:
            assert f"Default: `{str(part['default']).lower()}`" in row["meaning"]


@pytest.mark.parametrize("schema", [CONFIG, ROWS], ids=["configuration", "sheet"])
def test_every_property_has_a_description(schema):
    assert [".".join(path) for path, part in properties(schema, schema) if not part.get("description")] == []


@pytest.mark.parametrize("column", COLUMNS | PAIR_COLUMNS)
def test_a_column_bears_its_unit(column):
    unit, definition = (COLUMNS | PAIR_COLUMNS)[column]
    assert definition
    if unit:
        assert re.search(UNITS[unit], column)
    else:
        assert re.fullmatch(WITHOUT_UNIT, column)


@pytest.mark.parametrize("table", TABLES)
def test_a_column_of_scores_bears_its_unit(table):
    for column, (unit, definition) in TABLES[table].items():
        assert definition
        ends = [each for each, pattern in SCORE_UNITS.items() if re.search(pattern, column)]
        assert ends == ([unit] if unit else []), column


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", read(document)):
        path, _, anchor = target.partition("#")
        linked = (ROOT / document).parent / path if path else ROOT / document
        assert linked.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [heading.lower().replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document):
    folders = "|".join(("config", "docs", "envs", "profiles", "report", "rules", "scripts", "tests"))
    named = re.findall(rf"(?<![\w/])(?:{folders})/[\w./-]*", read(document))
    assert named
    made_up = ("scripts/STAGE.py", "scripts/cellstack/STAGE.py")
    assert [name for name in named if name not in made_up and not (ROOT / name.rstrip(".")).exists()] == []


def test_each_fault_has_the_test_that_is_named():
    rows = list(tables(read("docs/reliability.md"), "fault"))
    assert len(rows) > 15
    for _, row in rows:
        named = re.findall(r"(test_\w+\.py)(?:::(test_\w+))?", row["test"])
        assert named or row["test"] == "the same two" or row["test"] == "the same", row
        for file, test in named:
            paths = list((ROOT / "tests").rglob(file))
            assert any(f"def {test or 'test_'}" in path.read_text(encoding="utf-8") for path in paths), (file, test)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_targets_of_make_exist(document):
    targets = re.findall(r"^(\w+):", read("Makefile"), re.MULTILINE)
    assert set(re.findall(r"(?:^    |`)make (\w+)", read(document), re.MULTILINE)) <= set(targets)


@pytest.mark.parametrize("document", ["README.md", "config/README.md"])
def test_examples_of_the_configuration_are_sound(document):
    examples = fenced(read(document), "yaml")
    assert examples
    for example in examples:
        config = yaml.safe_load(example)
        _, faults = settings.complete(config, CONFIG, STAGES, check=True)
        assert faults == [], example


def test_the_example_of_a_sheet_is_sound(tmp_path):
    (example,) = fenced(read("README.md"), "csv")
    (tmp_path / "stacks.csv").write_text(example, encoding="utf-8")
    rows, unreadable = sheet.read_sheet(str(tmp_path / "stacks.csv"), ROWS)
    assert unreadable == []
    assert len(rows) == 1
    assert settings.find_faults(rows[0], ROWS, "row") == []


def test_every_caption_is_there():
    rules = "".join(path.read_text(encoding="utf-8") for path in [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")])
    named = re.findall(r"report/(\w+\.rst)", rules)
    assert sorted(set(named)) == sorted(path.name for path in (ROOT / "report").glob("*.rst"))


def test_the_citation_agrees_with_the_project():
    citation = yaml.safe_load(read("CITATION.cff"))
    project = read("pyproject.toml")
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    for key in ("version", "license"):
        assert f'{key} = "{citation[key]}"' in project


def test_the_picture_is_light():
    assert (ROOT / "docs" / "example.png").stat().st_size < 400_000
