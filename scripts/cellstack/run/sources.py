"""The source code that a rule depends on.

Snakemake does not re-run a job when a module that its script imports has changed. Therefore each
rule has a param ``source``: the hash of its script and of all modules of cellstack that it imports.
"""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

PACKAGES = (
    "cellstack",
    "cellstack.blocks",
    "cellstack.cells",
    "cellstack.compare",
    "cellstack.config",
    "cellstack.core",
    "cellstack.enhance",
    "cellstack.evaluate",
    "cellstack.figures",
    "cellstack.files",
    "cellstack.files.readers",
    "cellstack.gallery",
    "cellstack.init",
    "cellstack.measure",
    "cellstack.pages",
    "cellstack.prepare",
    "cellstack.publish",
    "cellstack.run",
    "cellstack.segment",
    "cellstack.spots",
    "cellstack.sweep",
    "cellstack.tissue",
    "cellstack.view",
)
IMPORTED = re.compile(r"^(?:import|from) (\w+)", re.MULTILINE)  # in every run
PACKAGE_OF = {  # Python packages whose module has another name
    "SimpleITK": "simpleitk",
    "cc3d": "connected-components-3d",
    "cv2": "opencv-python-headless",
    "skimage": "scikit-image",
}
IMPORT = re.compile(r"^\s*from (cellstack[\w.]*) import (\([^)]*\)|[^\n(]+)", re.MULTILINE)


class Sources:
    """Files of the folder ``scripts``.

    Parameters
    ----------
    locate : callable
        Return the local path of a file of ``scripts``, given its relative path. Where the workflow
        is used from a remote repository, this downloads the file.
    """

    def __init__(self, locate: Callable[[str], str | Path]) -> None:
        self._locate = locate

    @cache  # noqa: B019 (there is one instance per process)
    def _read(self, file: str) -> bytes:
        return Path(self._locate(file)).read_bytes()

    def files(self, name: str) -> list[str]:
        """Return a file and all modules of cellstack that it imports, directly or indirectly.

        Parameters
        ----------
        name : str
            Path of a script or module, relative to ``scripts``.

        Returns
        -------
        list of str
            Relative paths, sorted.
        """
        found: set[str] = set()
        waiting = [name, "cellstack/__init__.py"]
        while waiting:
            file = waiting.pop()
            if file not in found:
                found.add(file)
                waiting += self._imports(file)
        return sorted(found)

    @cache  # noqa: B019
    def _imports(self, file: str) -> list[str]:
        files = []
        for module, names in IMPORT.findall(self._read(file).decode()):
            if module in PACKAGES:
                modules = [f"{module}.{name}" for name in re.findall(r"(\w+)(?: as \w+)?", names)]
                modules = [each for each in modules if each != "cellstack.__version__"]
            else:
                modules = [module]
            for each in modules:
                files.append(f"{each.replace('.', '/')}.py")
                files += _package_files(each)
        return files

    @cache  # noqa: B019
    def imports(self, script: str) -> list[str]:
        """Return the modules outside cellstack that a script and its modules import.

        Parameters
        ----------
        script : str
            Name of the script, without ``.py``.

        Returns
        -------
        list of str
            Names of packages such as ``scikit-image``, and modules of Python; sorted.
        """
        found: set[str] = set()
        for name in self.files(f"{script}.py"):
            modules = IMPORTED.findall(self._read(name).decode())
            found.update(PACKAGE_OF.get(each, each) for each in modules)
        return sorted(found - {"cellstack"})

    @cache  # noqa: B019
    def hash(self, script: str) -> str:
        """Return the hash of a script and all that it imports.

        Parameters
        ----------
        script : str
            Name of the script, without ``.py``.

        Returns
        -------
        str
            16 hexadecimal digits.
        """
        digest = hashlib.sha256()
        for name in self.files(f"{script}.py"):
            digest.update(name.encode() + self._read(name))
        return digest.hexdigest()[:16]


def _package_files(module: str) -> list[str]:
    """Return the ``__init__.py`` of all packages that a module lies in."""
    parts = module.split(".")
    return ["/".join([*parts[:count], "__init__.py"]) for count in range(1, len(parts))]
