"""The documentation site: its pages, commands, pictures and list of flags."""

import ast
import importlib
import json
import re
import shutil
import subprocess
from types import SimpleNamespace

import browser
import numpy as np
import pytest
from study import ROOT, SNAKEMAKE
from test_documents import DOCUMENTS, REFERENCE, fenced, load_script, read, table_rows

import cellstack
from cellstack.files.readers import image_source

SITE = load_script(ROOT / "docs" / "build_site.py")
PAGES = [page for pages in SITE.PAGES.values() for page in pages]
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*"))
FLAGS = read("docs/understand/flags.md")
FLAGGING = {  # functions that write flags of stacks and channels
    "stacks": {
        "measure.summarize_stack": (
            "summarize_stack",
            "_flags_of_diameter",
            "_flags_of_objects",
            "_flags_of_pairs",
            "_flags_of_mask",
        ),
        "measure.collect": ("flag_outliers", "flag_copies"),
    },
    "channels": {
        "measure.measure_quality": ("flag_quality", "_flag_signal"),
        "files.readers.tiff": ("_flags", "_flags_of_ome"),
        "files.readers.voxel_size": ("find_doubtful", "find_unusual"),
        "prepare.check_image": ("check_chunks", "check_planes"),
        "prepare.colours": ("flag_colours",),
    },
}

TUTORIAL_FUNCTIONS = {  # of the lecture, its earlier versions, and its solution
    "imread", "view_image", "add_image", "add_labels", "add_points", "adjust_gamma",
    "equalize_hist", "histogram", "cumulative_distribution", "rescale_intensity", "sobel",
    "median_filter", "denoise_bilateral", "calibrate_denoiser", "threshold_otsu",
    "threshold_li", "try_all_threshold", "binary_fill_holes", "erosion", "dilation", "opening",
    "closing", "ball", "disc", "square", "cube", "remove_small_holes", "remove_small_objects",
    "label", "distance_transform_edt", "local_maxima", "peak_local_max", "watershed", "pad",
    "clear_border", "relabel_sequential", "regionprops", "regionprops_table", "scatterplot",
    "marching_cubes", "mesh_surface_area", "montage",
}  # fmt: skip


def test_every_document_is_a_page():
    written = [page for page in DOCUMENTS if page.startswith("docs/")]
    assert [page for page in written if page not in PAGES] == []
    assert [page for page in PAGES if not (ROOT / page).is_file()] == []
    assert len({SITE.place_of(page) for page in PAGES}) == len(PAGES)


def test_every_table_of_columns_is_in_the_reference():
    tables = importlib.import_module("cellstack.config.columns")
    listed = REFERENCE.DOCUMENTS["docs/reference/columns.md"].values()
    shown = [table.args[0] for table in listed if table is not REFERENCE.group_tables]
    shown.append(tables.CONTACT_COLUMNS)  # in config/README.md
    named = [name for name in vars(tables) if name.endswith("_COLUMNS")]
    assert len(named) > 8
    assert [
        name for name in named if not any(getattr(tables, name) is each for each in shown)
    ] == []


def test_scores_in_the_text_are_those_of_the_benchmark():
    known = re.findall(r"\b[01]\.\d+", read("benchmarks/accuracy.md"))
    named = re.findall(r"\b0\.\d+", read("docs/tutorial/challenges.md"))
    text = read("docs/tutorial/watershed.md")
    named += re.findall(r"\b0\.\d+", text[text.index("mean F1") : text.index("[Accuracy]")])
    assert len(named) > 12
    assert [number for number in named if number not in known] == []


def test_every_page_has_a_summary():
    for page in PAGES:
        title, summary = SITE.summarize(read(page))
        assert title
        assert 20 < len(summary) < 300, (page, summary)


def test_links_lead_to_pages_and_files_of_the_site(tmp_path):
    SITE.stage(tmp_path)
    for page in ["README.md", *PAGES]:
        place = tmp_path / SITE.place_of(page)
        text = place.read_text(encoding="utf-8")
        for block in re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL):
            text = text.replace(block, "")
        for target in re.findall(r"\]\((?!\w+:)([^)\s#]+)", text):
            assert (place.parent / target).exists(), (page, target)


@pytest.fixture(scope="module")
def python():
    """Return the Python that has the generator."""
    path = ROOT / ".venv" / "docs" / "bin" / "python"
    if not path.exists():
        pytest.skip("the generator is not installed: run `make docs`")
    return path


@pytest.fixture(scope="module")
def built(python, tmp_path_factory):
    """Build the site beside that of an older version, and return the process and the folder."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "0.0.9").mkdir()
    (folder / "0.0.9" / "index.html").touch()
    command = [python, ROOT / "docs" / "build_site.py", "--versions", folder]
    return subprocess.run(command, capture_output=True, text=True, check=False), folder


def test_the_site_is_built_without_warnings(built):
    done, _ = built
    assert (done.returncode, done.stderr) == (0, "")


def test_versions_are_listed_the_newest_first(built):
    _, folder = built
    listed = json.loads((folder / "versions.json").read_text(encoding="utf-8"))
    assert [each["version"] for each in listed] == [cellstack.__version__, "0.0.9"]
    assert f"url={cellstack.__version__}/index.html" in (folder / "index.html").read_text()
    page = (folder / cellstack.__version__ / "index.html").read_text(encoding="utf-8")
    assert "version-switcher" in page


@pytest.mark.slow
@pytest.mark.parametrize("word", ["watershed", "regionprops", "CellProfiler"])
def test_the_search_works_without_a_network(built, word, tmp_path):
    page = browser.start(tmp_path)
    _, folder = built
    address = (folder / cellstack.__version__ / "search.html").as_uri()
    page.open(f"{address}?q={word}")
    found = "document.querySelectorAll('#search-results li').length"
    wait = f"new Promise(done => setInterval(() => {found} > 2 && done({found}), 100))"
    assert page.evaluate(wait) > 2
    sources = [each for each in page.requested if not each.startswith(("file:", "data:"))]
    page.close()
    assert sources == []


def test_a_broken_link_is_an_error(python, tmp_path):
    copy = tmp_path / "copy"
    for name in ("docs", "config", "benchmarks", "scripts", "envs", "profiles"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.glob("*.*"):
        if path.is_file():
            shutil.copy(path, copy)
    page = copy / "docs" / "start" / "install.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(
        f"{text}\n[nowhere](nowhere.md) and [none](results.md#none)\n", encoding="utf-8"
    )
    command = [python, copy / "docs" / "build_site.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr
    assert "none" in done.stderr


def commands():
    """List the commands of all documents that begin with snakemake, without placeholders."""
    found = set()
    for document in DOCUMENTS:
        text = read(document)
        lines = "\n".join(fenced(text, "bash")).splitlines()
        lines += [line.strip() for line in text.splitlines() if line.startswith("    ")]
        lines += re.findall(r"`(snakemake [^`]+)`", text)
        for line in lines:
            is_complete = line.startswith("snakemake ") and not line.endswith("\\")
            if is_complete and not re.search(r"\b[A-Z]{3,}\b|\.\.\.", line):
                found.add(line.split("#")[0].strip())
    return sorted(found)


def test_targets_in_commands_exist():
    rules = re.findall(r"^rule (\w+):", read("Snakefile"), re.MULTILINE)
    targets = [line.split()[1] for line in commands()]
    named = [target for target in targets if not target.startswith("-")]
    assert {"gallery", "evaluate", "figures", "crops"} <= set(named)
    assert set(named) <= set(rules)


@pytest.mark.slow
def test_commands_are_accepted(tmp_path):
    targets = {line.split()[1] for line in commands() if not line.split()[1].startswith("-")}
    demo = [*SNAKEMAKE, "--directory", tmp_path, "--configfile", ROOT / "config" / "config.yaml"]
    shutil.copytree(ROOT / "config", tmp_path / "config")
    demo += ["--snakefile", ROOT / "Snakefile", "--cores", "1", "--dry-run", "--quiet", "all"]
    targets -= {"sweep"}  # needs a table
    done = subprocess.run(
        [*demo, "--", *sorted(targets)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_function_of_the_tutorial_has_a_row():
    text = read("docs/tutorial/overview.md")
    table = text[text.index("| function of the tutorial |") : text.index("Names of scikit-image")]
    found = {name.rsplit(".", 1)[-1] for name in re.findall(r"`([^`]+)`", table)}
    assert found >= TUTORIAL_FUNCTIONS, TUTORIAL_FUNCTIONS - found


def test_lines_in_napari_are_measured_in_um():
    (code,) = fenced(read("docs/start/diameter.md"), "python")
    lines = np.array([[[3, 5, 10], [3, 5, 50]], [[7, 0, 0], [7, 8, 15]]])
    active = SimpleNamespace(data=lines, scale=np.array([1.04, 0.5, 0.2]))
    layers = SimpleNamespace(selection=SimpleNamespace(active=active))
    *statements, expression = code.strip().splitlines()
    names = {"viewer": SimpleNamespace(layers=layers)}
    exec("\n".join(statements), names)
    assert eval(expression, names) == pytest.approx([8, 5])


def test_every_picture_is_small_made_by_a_command_and_shown():
    names = ("make_pictures", "photograph_imagej", "photograph_napari")
    script = "".join(read(f"docs/{name}.py") for name in names)
    text = "".join(read(document) for document in DOCUMENTS)
    assert PICTURES
    for picture in PICTURES:
        assert picture.stat().st_size < 150_000, picture
        assert f'"{picture.name}"' in script, picture
        assert f"pictures/{picture.name}" in text, picture
    assert sum(picture.stat().st_size for picture in PICTURES) < 2_000_000


def templates(module, names):
    """Return a pattern for each flag that functions write, and its place."""
    tree = ast.parse(read(f"scripts/cellstack/{module.replace('.', '/')}.py"))
    functions = [node for node in ast.walk(tree) if getattr(node, "name", "") in names]
    assert len(functions) == len(names), module
    found = {}
    for function in functions:
        values = []
        for node in ast.walk(function):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if is_call and node.func.attr in ("append", "insert"):
                values.append(node.args[-1])
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.List):
                values += node.value.elts
            elif isinstance(node, ast.Assign):
                target = getattr(node.targets[0], "value", node.targets[0])  # of flags[key]
                if getattr(target, "id", "") in ("absence", "flag", "flags"):
                    values.append(node.value)
        for value in values:
            value = value.left if isinstance(value, ast.BinOp) else value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[re.escape(value.value)] = function.name
            elif isinstance(value, ast.JoinedStr):
                parts = [
                    re.escape(part.value) if isinstance(part, ast.Constant) else ".+"
                    for part in value.values
                ]
                found["".join(parts)] = function.name
    return found


@pytest.mark.parametrize("kind", FLAGGING)
def test_every_flag_of_stacks_and_channels_is_explained(kind):
    part = FLAGS.split(f"<!-- {kind} -->")[1].split(f"<!-- end of {kind} -->")[0]
    examples = [row["flag"].strip("`") for row in table_rows(part)]
    patterns = {}
    for module, names in FLAGGING[kind].items():
        patterns |= templates(module, names)
    if kind == "channels":
        patterns[re.escape(image_source.LOSSY)] = "_flags"
    assert len(patterns) >= 6
    assert not [p for p in patterns if ";" in p]  # which separates flags
    unexplained = [p for p in patterns if not any(re.match(p, each) for each in examples)]
    assert unexplained == []
    assert [each for each in examples if not any(re.match(p, each) for p in patterns)] == []


def test_every_flag_of_objects_is_explained():
    reasons = importlib.import_module("cellstack.config.reasons")
    part = FLAGS.split("<!-- objects -->")[1].split("<!-- end of objects -->")[0]
    examples = [row["flag"].strip("`") for row in table_rows(part)]
    for start in [*reasons.FLAGS.values(), reasons.TOUCHES + reasons.NO_DATA, "no nucleus"]:
        assert any(each.startswith(start) for each in examples), start
    known = (*reasons.FLAGS.values(), "no nucleus", "2 nuclei", "no wall to")
    assert [each for each in examples if not each.startswith(known)] == []
