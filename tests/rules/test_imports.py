"""A script imports only packages that its stage uses, because every job waits for its imports."""

import ast
import sys
from functools import cache

import pytest
from study import ROOT

SCRIPTS = ROOT / "scripts"
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))
IMPORT_NUMPY = {"cv2", "scipy", "skimage", "tifffile"}  # importing NumPy too then takes no time
EXAMPLE = """\
from typing import TYPE_CHECKING

import cv2
import numpy as np
import scipy

if TYPE_CHECKING:
    import pandas

def blur(x):
    return cv2.blur(x)

def double(x: scipy.sparse.coo_array) -> "pandas.DataFrame":
    import yaml

    return np.add(x, yaml.safe_load("1"))
"""


class Module:
    """The statements at the top of a file.

    Attributes
    ----------
    bound : dict of str to tuple
        For each imported name its module, and its name there or None for a module.
    nodes : dict of str to list
        For each name that is defined, its definitions, and those that are registered in it.
    """

    def __init__(self, path):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.bound, self.nodes = {}, {}
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.bound |= bindings(node)
            for name in defined_names(node):
                self.nodes.setdefault(name, []).append(node)
            for decorator in getattr(node, "decorator_list", []):
                # a registry of methods, see cellstack.config.methods
                if isinstance(decorator, ast.Name) and decorator.id in self.nodes:
                    self.nodes[decorator.id].append(node)
        owners = {owner for owner, _ in self.bound.values()}
        self.modules = {owner for owner in owners if is_ours(owner)}
        self.packages = owners - self.modules - sys.stdlib_module_names


def is_ours(module):
    return module.partition(".")[0] == "cellstack"


def bindings(node):
    """Return the names that an import statement binds, as in :attr:`Module.bound`."""
    bound = {}
    for alias in node.names:
        if isinstance(node, ast.Import):
            package = alias.name.partition(".")[0]
            bound[alias.asname or package] = (package, None)
        elif not is_ours(node.module):
            bound[alias.asname or alias.name] = (node.module.partition(".")[0], alias.name)
        elif file_of(f"{node.module}.{alias.name}").is_file():
            bound[alias.asname or alias.name] = (f"{node.module}.{alias.name}", None)
        else:
            bound[alias.asname or alias.name] = (node.module, alias.name)
    return bound


def defined_names(node):
    """Return the names that a statement defines; any expression counts as part of `main`."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id]
    if isinstance(node, ast.Assign):
        targets = [each for target in node.targets for each in ast.walk(target)]
        return [each.id for each in targets if isinstance(each, ast.Name)]
    return ["main"] if isinstance(node, ast.Expr) else []


def file_of(module):
    path = SCRIPTS / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def read(module):
    return Module(file_of(module))


def walk(node):
    """Yield a node and all nodes in it, without annotations."""
    yield node
    for field, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, ast.AST) and field not in ("annotation", "returns"):
                yield from walk(child)


def references(node, module):
    """Yield each name of an imported module, or of `module` itself, that a definition refers to."""
    there = read(module)
    bound = there.bound.copy()
    for part in walk(node):
        if isinstance(part, ast.Import | ast.ImportFrom):
            bound |= bindings(part)
    for part in walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            owner, name = bound.get(part.value.id, (module, part.value.id))
            yield owner, name or part.attr
        elif isinstance(part, ast.Name):
            yield bound.get(part.id, (module, part.id))


def used_packages(script):
    """Return the packages that the main function of a script uses, directly or indirectly."""
    packages, seen, waiting = set(), set(), [(script, "main")]
    while waiting:
        place = module, name = waiting.pop()
        if place in seen or name is None:
            continue
        seen.add(place)
        if module != script and not is_ours(module):
            packages.add(module)
        elif name in read(module).bound:  # imported there from another module
            owner, original = read(module).bound[name]
            waiting.append((owner, original or name))
        else:
            for node in read(module).nodes.get(name, []):
                waiting += references(node, module)
    return packages | {"numpy"} if packages & IMPORT_NUMPY else packages


def imported_packages(script):
    """Return the packages that a script imports at its start, each with the modules that do so."""
    packages, seen, waiting = {}, set(), [script]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += read(module).modules
            for package in read(module).packages:
                packages.setdefault(package, []).append(module)
    return packages


@pytest.mark.parametrize("script", NAMES)
def test_a_script_imports_no_package_that_its_stage_does_not_use(script):
    packages = imported_packages(script)
    used = used_packages(script)
    unused = {package: modules for package, modules in packages.items() if package not in used}
    assert not unused, f"{script} imports packages that it does not use: {unused}"


def test_an_unused_package_is_found(tmp_path, monkeypatch):
    package = tmp_path / "cellstack" / "core"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "both.py").write_text(EXAMPLE)
    (tmp_path / "one.py").write_text(
        "from cellstack.core import both\n\ndef main(x):\n    both.double(x)\n"
    )
    (tmp_path / "other.py").write_text(
        "from cellstack.core.both import double\n\ndef main(x):\n    double(x)\n"
    )
    monkeypatch.setattr(sys.modules[__name__], "SCRIPTS", tmp_path)
    read.cache_clear()
    for script in ("one", "other"):
        module = ["cellstack.core.both"]
        assert imported_packages(script) == {"cv2": module, "numpy": module, "scipy": module}
        assert used_packages(script) == {"numpy", "yaml"}
    read.cache_clear()
