"""The documents agree with what they describe: schemas, code, tables, files, commands."""

import ast
import importlib
import importlib.util
import inspect
import re

import pytest
import yaml
from study import ROOT

import cellstack
from cellstack.compare import group_columns
from cellstack.config import settings, sheet
from cellstack.config.columns import (
    CHECK_COLUMNS,
    CLASS_COLUMNS,
    CONTACT_COLUMNS,
    CORRECTION_COLUMNS,
    NEIGHBOR_COLUMNS,
    QUALITY_COLUMNS,
    REGION_COLUMNS,
    SELECTION_COLUMNS,
    STACK_COLUMNS,
)
from cellstack.config.object_columns import COLUMNS, GROUPS, PAIR_COLUMNS
from cellstack.config.schemas import Schemas
from cellstack.evaluate import score_columns
from cellstack.segment.per_object_threshold import mark_blobs

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "config/README.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
)
PLACEHOLDERS = re.compile(r"\b(STAGE|PHASE|RULE|METHOD|NAME)\b")
UNITS = {
    "um": r"_um$",
    "um2": r"_um2$",
    "um3": r"_um3$",
    "voxel": r"_voxels$|^bbox_",
    "raw value": r"_intensity(_above_background)?(_<channel>)?$|^colocalization_",
    "voxel side2": r"_unit_spacing$",
    "bit": r"_bit$",
    "%": r"_percent$",
    "1/mm3": r"_per_mm3$",
    "mm3": r"^volume_mm3$",
}
COLUMNS_WITHOUT_UNIT = re.compile(
    r"stack|object|flags|corrections|number|action|(nucleus_|nearest_other_kind_)?(segmentation_)?label(_[12])?"
    r"|sphericity|solidity|extent|neighbor_count|touching_count|touching|within_radius|.*_incomplete"
    r"|euler_number|(touches|direction)_.*|nuclei_count|nucleus_to_cell_volume_ratio"
    r"|wall_strength|wall_missing|status|count_.*|diameter_source|.*_fraction|.*_ratio|reason"
    r"|segmentation_labels|cut_by_faces|channel|counted|region_(label|name)|part"
    r"|tissue_surface_uncertain"
    r"|class|class_probability"
    r"|(pearson|spearman|manders_m[12]|overlap_coefficient)_.*|.*_(ratio|relative_intensity)_<channel>"
)
DESCRIBED = (
    COLUMNS
    | PAIR_COLUMNS
    | CONTACT_COLUMNS
    | NEIGHBOR_COLUMNS
    | STACK_COLUMNS
    | CHECK_COLUMNS
    | REGION_COLUMNS
    | SELECTION_COLUMNS
    | QUALITY_COLUMNS
)
DESCRIBED |= CORRECTION_COLUMNS
DESCRIBED |= CLASS_COLUMNS
for group in GROUPS.values():
    DESCRIBED |= group
OPTIONS_OF = {("binarize", "per_object"): mark_blobs}  # a method that takes **options: see there


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def load_script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


SCHEMAS = Schemas.read(ROOT / "config")
STAGES, CONFIG, ROWS = SCHEMAS.stages, SCHEMAS.config, SCHEMAS.sheet
TABLES = score_columns.TABLES | group_columns.TABLES
REFERENCE = load_script(ROOT / "docs" / "build_reference.py")


def import_stage(stage):
    (path,) = (ROOT / "scripts" / "cellstack").glob(f"*/{stage}.py")
    return importlib.import_module(f"cellstack.{path.parent.name}.{stage}")


def schema_methods(stage):
    """Return the schemas of the options of a stage's methods, by method."""
    return settings.method_blocks(STAGES["properties"][stage], STAGES)


def methods_of_code():
    """List the stage, module, name and function of every method."""
    modules = {stage: import_stage(stage) for stage in STAGES["properties"]}
    return [
        (stage, module, name, function)
        for stage, module in modules.items()
        for name, function in getattr(module, "METHODS", {}).items()
    ]


METHODS = methods_of_code()
METHOD_IDS = [f"{stage}.{name}" for stage, _, name, _ in METHODS]


def properties(schema, root, path=()):
    """Yield the path and the schema of each property, at every level."""
    others = schema.get("additionalProperties")
    # a preset repeats the stages; the names of simulated stacks are free
    if path != ("presets",) and isinstance(others, dict):
        yield from properties(others, root, path)
    for name, part in schema.get("properties", {}).items():
        part = settings.follow(part, root)
        yield (*path, name), part
        yield from properties(part, root, (*path, name))


def table_rows(text):
    """Yield each row of the tables of a document, as cells by column."""
    columns = None
    for line in text.splitlines():
        if not line.startswith("|"):
            columns = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if columns is None:
            columns = cells
        elif not set(line) <= set("|-"):
            yield dict(zip(columns, cells, strict=True))


def fenced(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_tables_of_the_configuration_are_up_to_date():
    assert read("config/README.md") == REFERENCE.build(), "run `make docs`"


def test_an_outdated_table_is_reported_and_updated(tmp_path, monkeypatch, capsys):
    current = read("config/README.md")
    outdated = tmp_path / "README.md"
    outdated.write_text(current.replace("`0.06 d`", "`0.07 d`", 1), encoding="utf-8")
    monkeypatch.setattr(REFERENCE, "REFERENCE", outdated)
    monkeypatch.setattr("sys.argv", ["build_reference.py", "--check"])
    # the first occurrence is in the text, which is written by hand
    assert REFERENCE.main() == 0
    outdated.write_text(current.replace("| `0.06 d` |", "| `0.07 d` |", 1), encoding="utf-8")
    assert REFERENCE.main() == 1
    assert "`0.07 d`" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["build_reference.py"])
    assert REFERENCE.main() == 0
    assert outdated.read_text(encoding="utf-8") == current


def test_a_missing_table_is_an_error(tmp_path, monkeypatch):
    shorter = tmp_path / "README.md"
    text = read("config/README.md").replace("<!-- generated: stage denoise -->", "")
    shorter.write_text(text, encoding="utf-8")
    monkeypatch.setattr(REFERENCE, "REFERENCE", shorter)
    with pytest.raises(ValueError, match="check stage denoise"):
        REFERENCE.build()


@pytest.mark.parametrize("stage", STAGES["properties"])
def test_a_stage_has_the_methods_of_the_schema(stage):
    methods = getattr(import_stage(stage), "METHODS", {})
    assert sorted(methods) == sorted(schema_methods(stage))


@pytest.mark.parametrize(("stage", "module", "name", "function"), METHODS, ids=METHOD_IDS)
def test_a_method_has_the_options_of_the_schema(stage, module, name, function):
    schema = schema_methods(stage)[name].get("properties", {})
    documented = OPTIONS_OF.get((stage, name), function)
    parameters = inspect.signature(documented).parameters.values()
    options = {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}
    if documented is not function:
        options.pop("factor")  # of the stage, not of the method
    assert options.keys() == schema.keys()
    for option, default in options.items():
        if default is not inspect.Parameter.empty:
            assert default == settings.follow(schema[option], STAGES)["default"], option
    # a family of methods documents its common options in the module
    text = f"{module.__doc__}\n{documented.__doc__}"
    assert [option for option in options if not re.search(rf"\b{option}\b", text)] == []


@pytest.mark.parametrize("stage", STAGES["properties"])
def test_a_script_takes_the_keys_of_its_stage(stage):
    methods = schema_methods(stage)
    keys = {key for key in STAGES["properties"][stage]["properties"] if key not in methods}
    if "method" in keys:
        keys.add("options")
    if stage == "find_cell_seeds":  # the rule passes the one of the two that applies
        keys.remove("background_radius_beside_nuclei_um")
    functions = ast.walk(ast.parse(read(f"scripts/{stage}.py")))
    (main,) = (each for each in functions if getattr(each, "name", "") == "main")
    assert keys <= {argument.arg for argument in main.args.kwonlyargs}


@pytest.mark.parametrize("schema", [CONFIG, ROWS], ids=["configuration", "sheet"])
def test_descriptions_complete_an_error_message(schema):
    for path, part in properties(schema, schema):
        description = part.get("description", "")
        assert re.match(r"[a-z0-9`]", description), path
        assert not description.endswith("."), path


@pytest.mark.parametrize("schema", [CONFIG, ROWS], ids=["configuration", "sheet"])
def test_effects_are_sentences(schema):
    for path, part in properties(schema, schema):
        assert re.fullmatch(r"[A-Z0-9`h].*\.", part.get("effect", "None.")), path


@pytest.mark.parametrize("stage", STAGES["properties"])
def test_every_method_is_described(stage):
    for name, method in schema_methods(stage).items():
        assert method.get("effect"), name


def test_every_column_of_the_sheet_has_an_example():
    assert [name for name, part in ROWS["properties"].items() if not part.get("examples")] == []


@pytest.mark.parametrize("column", DESCRIBED)
def test_the_name_of_a_column_ends_in_its_unit(column):
    unit, definition = DESCRIBED[column]
    assert definition
    if unit:
        assert re.search(UNITS[unit], column)
    else:
        assert COLUMNS_WITHOUT_UNIT.fullmatch(column)


@pytest.mark.parametrize("table", TABLES)
def test_the_name_of_a_column_of_scores_or_groups_ends_in_its_unit(table):
    for column, (unit, definition) in TABLES[table].items():
        assert definition
        ends = [each for each, pattern in UNITS.items() if re.search(pattern, column)]
        assert ends == ([unit] if unit else []), column


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_have_a_target(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", read(document)):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / document).parent / path if path else ROOT / document
        assert linked.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = [
                re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings
            ]
            assert anchor in anchors, target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document):
    folders = "benchmarks|config|docs|envs|profiles|report|rules|scripts|tests"
    named = re.findall(rf"(?<![\w/])(?:{folders})/[\w./-]*", read(document))
    assert named
    missing = [name for name in named if not (ROOT / name.rstrip(".")).exists()]
    assert [name for name in missing if not PLACEHOLDERS.search(name)] == []


def test_each_failure_has_the_test_that_is_named():
    rows = [row for row in table_rows(read("docs/reliability.md")) if "test" in row]
    assert len(rows) > 15
    for row in rows:
        named = re.findall(r"(test_\w+\.py)(?:::(test_\w+))?", row["test"])
        assert named or row["test"].startswith("the same"), row
        for file, test in named:
            paths = list((ROOT / "tests").rglob(file))
            assert any(
                f"def {test or 'test_'}" in path.read_text(encoding="utf-8") for path in paths
            ), (file, test)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_targets_exist(document):
    targets = re.findall(r"^([\w-]+):", read("Makefile"), re.MULTILINE)
    named = re.findall(r"(?:^    |`)make ([\w-]+)", read(document), re.MULTILINE)
    assert set(named) <= set(targets)


@pytest.mark.parametrize("document", ["README.md", "config/README.md"])
def test_examples_of_the_configuration_are_valid(document):
    examples = fenced(read(document), "yaml")
    assert examples
    for example in examples:
        _, errors = settings.complete(yaml.safe_load(example), CONFIG, STAGES, check=True)
        assert errors == [], example


def test_the_example_of_a_sheet_is_valid(tmp_path):
    (example,) = fenced(read("README.md"), "csv")
    (tmp_path / "stacks.csv").write_text(example, encoding="utf-8")
    rows, errors = sheet.read_sheet(str(tmp_path / "stacks.csv"), ROWS)
    assert errors == []
    assert len(rows) == 1
    assert settings.find_errors(rows[0], ROWS, "row") == []


def test_every_caption_is_used_and_exists():
    paths = [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]
    rules = "".join(path.read_text(encoding="utf-8") for path in paths)
    named = re.findall(r"report/(\w+\.rst)", rules)
    assert sorted(set(named)) == sorted(path.name for path in (ROOT / "report").glob("*.rst"))


def test_the_citation_agrees_with_the_project():
    citation = yaml.safe_load(read("CITATION.cff"))
    project = read("pyproject.toml")
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert citation["version"] == cellstack.__version__
    assert f'license = "{citation["license"]}"' in project


def test_the_picture_of_the_readme_is_small():
    assert (ROOT / "docs" / "example.png").stat().st_size < 400_000
