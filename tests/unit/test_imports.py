"""What a script imports at its start: packages that its stage uses, and no other, for each job pays for them anew."""

import ast
import subprocess
import sys
from functools import cache

import pytest
from study import ROOT, environment

SCRIPTS = ROOT / "scripts"
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))
SECONDS = """
import sys, time
start = time.process_time()
__import__(sys.argv[1])
print(time.process_time() - start)
"""


class Module:
    """What stands at the top of a file: its imports, and by name what each definition refers to."""

    def __init__(self, path):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.bound = {}  # name: (module, name or None) of cellstack, or a package
        self.needs = {}  # definition: nodes that it is made of, and the definitions that it registers
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.bound |= bindings(node)
            for name in defined(node):
                self.needs.setdefault(name, []).append(node)
            for decorator in getattr(node, "decorator_list", []):
                if isinstance(decorator, ast.Name) and decorator.id in self.needs:  # a table of methods, as in cellstack.methods
                    self.needs[decorator.id].append(node)
        self.at_start = {owner for owner, _ in self.bound.values() if owner.startswith("cellstack.")}
        self.packages = {owner for owner, _ in self.bound.values() if not owner.startswith("cellstack.")} - sys.stdlib_module_names


def bindings(node):
    """Give what an import binds: by name the module of cellstack with the name there, or the package."""
    if isinstance(node, ast.Import):
        return {alias.asname or alias.name.partition(".")[0]: (alias.name.partition(".")[0], None) for alias in node.names}
    if node.module == "cellstack":
        return {alias.asname or alias.name: (f"cellstack.{alias.name}", None) for alias in node.names}
    owner = node.module if node.module.startswith("cellstack.") else node.module.partition(".")[0]
    return {alias.asname or alias.name: (owner, alias.name) for alias in node.names}


def defined(node):
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    return [node.target.id] if isinstance(node, ast.AnnAssign) else ["main"] if isinstance(node, ast.Expr) else []


@cache
def module(name):
    return Module(SCRIPTS / f"{name.replace('.', '/')}.py")


def used(script):
    """Find the packages that the main function of a script refers to, directly or through others."""
    packages, seen, waiting = set(), set(), [(script, "main")]
    while waiting:
        place = owner, name = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        there = module(owner)
        if name in there.bound:  # passed on from elsewhere
            waiting.append(there.bound[name])
            continue
        for definition in there.needs.get(name, []):
            bound = there.bound.copy()
            for node in ast.walk(definition):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    bound |= bindings(node)
            for node in ast.walk(definition):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound:
                    other, inner = bound[node.value.id]
                    if other.startswith("cellstack."):
                        waiting.append((other, inner or node.attr))
                elif isinstance(node, ast.Name) and node.id in there.needs:
                    waiting.append((owner, node.id))
                if isinstance(node, ast.Name) and node.id in bound:
                    other, inner = bound[node.id]
                    if not other.startswith("cellstack."):
                        packages.add(other)
                    elif inner:
                        waiting.append((other, inner))
    return packages


def loaded(script):
    """Find the packages that a script loads before it begins, and the modules that do so."""
    packages, seen, waiting = {}, set(), [script]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += module(name).at_start
            for package in module(name).packages:
                packages.setdefault(package, []).append(name)
    return packages


@pytest.mark.parametrize("script", NAMES)
def test_a_script_loads_no_package_that_its_stage_does_not_use(script):
    process = subprocess.run([sys.executable, "-c", SECONDS, script], cwd=SCRIPTS, env=environment(), capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    packages = loaded(script)
    print(f"{script}: {float(process.stdout):.2f} CPU seconds to import {', '.join(sorted(packages))}")
    idle = {package: names for package, names in packages.items() if package not in used(script)}
    assert not idle, f"{script} loads what it does not use: {idle}"


def test_a_package_that_is_not_used_is_found(tmp_path, monkeypatch):
    (tmp_path / "cellstack").mkdir()
    (tmp_path / "cellstack/both.py").write_text(
        "import cv2\nimport numpy as np\n\ndef blur(x):\n    return cv2.blur(x)\n\ndef double(x):\n    return np.add(x, x)\n"
    )
    (tmp_path / "stage.py").write_text("from cellstack import both\n\ndef main(x):\n    both.double(x)\n")
    monkeypatch.setattr(sys.modules[__name__], "SCRIPTS", tmp_path)
    module.cache_clear()
    assert loaded("stage") == {"cv2": ["cellstack.both"], "numpy": ["cellstack.both"]}
    assert used("stage") == {"numpy"}
    module.cache_clear()
