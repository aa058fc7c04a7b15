"""The source hash of each rule: it covers all that its script imports."""

import ast
import subprocess
import sys

import pytest
from study import ROOT, environment

from cellstack.run.sources import PACKAGES, Sources

SCRIPTS_FOLDER = ROOT / "scripts"
SCRIPTS = sorted(path.stem for path in SCRIPTS_FOLDER.glob("*.py"))


@pytest.fixture(scope="module")
def sources():
    return Sources(lambda name: SCRIPTS_FOLDER / name)


def test_all_packages_are_known():
    folders = [path.parent for path in SCRIPTS_FOLDER.rglob("__init__.py")]
    names = [".".join(folder.relative_to(SCRIPTS_FOLDER).parts) for folder in folders]
    assert sorted(names) == sorted(PACKAGES)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_hashed_files_are_those_that_python_loads(sources, script):
    program = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS_FOLDER)!r}); import {script}\n"
        "for name, module in sys.modules.items():\n"
        "    if name.split('.')[0] == 'cellstack': print(module.__file__)"
    )
    process = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    prefix = f"{SCRIPTS_FOLDER}/"
    loaded = {line.removeprefix(prefix) for line in process.stdout.splitlines()}
    assert loaded | {f"{script}.py"} <= set(sources.files(f"{script}.py"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_hashed_files_are_those_that_are_imported(sources, script):
    files = sources.files(f"{script}.py")
    imported = {f"{script}.py", "cellstack/__init__.py"}
    for file in files:
        for node in ast.walk(ast.parse((SCRIPTS_FOLDER / file).read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cellstack"):
                for module in imported_modules(node):
                    parts = module.split(".")
                    imported.add("/".join(parts) + ".py")
                    for count in range(1, len(parts)):
                        imported.add("/".join([*parts[:count], "__init__.py"]))
    assert imported == set(files)


def imported_modules(node):
    if node.module not in PACKAGES:
        return [node.module]
    names = [alias.name for alias in node.names if alias.name != "__version__"]
    return [f"{node.module}.{name}" for name in names]


def test_a_change_of_an_imported_module_changes_the_hash(sources, tmp_path):
    def changed(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (SCRIPTS_FOLDER / name).read_text()
        path.write_text(text + ("\n# changed" if name == "cellstack/core/parallel.py" else ""))
        return path

    other = Sources(changed)
    assert sources.hash("denoise") == Sources(lambda name: SCRIPTS_FOLDER / name).hash("denoise")
    assert other.hash("denoise") != sources.hash("denoise")


def test_all_modules_that_the_rules_import_are_located(sources):
    tree = ast.parse((ROOT / "rules" / "common.smk").read_text())
    names = next(ast.literal_eval(node.iter) for node in tree.body if isinstance(node, ast.For))
    located = {"cellstack/run/sources.py"}.union(
        *(sources.files(f"cellstack/{name}.py") for name in names)
    )
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported = {module for node in imports for module in imported_modules(node)}
    assert {f"{module.replace('.', '/')}.py" for module in imported} <= located
