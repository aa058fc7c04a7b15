"""The archive of a run: one zip file with results, configuration, workflow and their description.

It has no private paths, see :mod:`cellstack.publish.private_paths`.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import yaml

from cellstack.config.sheet import read_table
from cellstack.files.fingerprints import record_path
from cellstack.files.images import find_images
from cellstack.files.records import read_json
from cellstack.publish.describe_images import acquisition_of
from cellstack.publish.private_paths import (
    folder_of,
    is_outside,
    place,
    portable_sheet,
    without_private_paths,
)
from cellstack.publish.wording import escape
from cellstack.publish.zip_file import Entry

CRATE, README = "ro-crate-metadata.json", "README.md"
CONFIGURATION = "config/config.yaml"  # where the workflow looks for it
WORKFLOW_FILES = (  # what the workflow reads when it runs, and its terms
    "Snakefile",
    "LICENSE",
    "CITATION.cff",
    "config/*.yaml",
    "config/*.tsv",
    "config/schemas/*.yaml",
    "envs/*.yaml",
    "envs/requirements/*.txt",
    "profiles/default/*.yaml",
    "report/*.rst",
    "rules/*.smk",
    "scripts/**/*.py",
)
TEXT = """\
# {title}

The results of a run of cellstack {version}, made by `snakemake archive`.

- `{results}/methods.md` describes what was done, `{results}/columns.csv` the columns of the tables.
- `config/config.yaml` and `{sheet}` are the configuration and the sheet, `workflow` is the code.
- `ro-crate-metadata.json` describes all files according to the Workflow Run RO-Crate profile.

To check that no file has changed:

    sha256sum --check --quiet SHA256SUMS

To repeat the run, or to check that nothing has to be run again, install the packages in
`workflow/envs/requirements/run.txt` and run in this folder

    snakemake --snakefile workflow/Snakefile --cores all --dry-run

{inputs}
"""
WITH_INPUTS = "The images are in this archive."
WITHOUT_INPUTS = (
    "The images are not in this archive. Put them at the paths that the sheet names, relative to "
    "this folder; `ro-crate-metadata.json` has their checksums."
)
PATHS_REPLACED = (
    "Some paths in the sheet or the configuration were outside the folder of the study. Their "
    "folders are private, so the paths were replaced by paths in `inputs`. The stages that read "
    "these files run again."
)


class InputImage(NamedTuple):
    """An image, ground truth or labels that the sheet names.

    Attributes
    ----------
    name : str
        Path in the archive, or address.
    column : str
        Column of the sheet: image, ground_truth or labels.
    stacks : list of str
        Stacks and channels that use it, as ``"stack/channel"``.
    size : int or None
        Number of bytes; None if that is not known.
    sha256 : str or None
        Of its content; None if that is not known.
    files : list of str
        Its files in the archive; empty if it is not in the archive.
    acquisition : dict of str to dict
        What the file says about the acquisition, by stack and channel.
    """

    name: str
    column: str
    stacks: list[str]
    size: int | None
    sha256: str | None
    files: list[str]
    acquisition: dict[str, dict[str, Any]]


def files_in(paths: Sequence[Path]) -> list[Path]:
    """Return files, and for each folder all files in it, each once."""
    found = []
    for path in paths:
        inside = sorted(each for each in path.rglob("*") if each.is_file())
        found += inside if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def _named_texts(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each text in a configuration, with its key."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _named_texts(value)
        elif isinstance(value, str):
            yield value, str(key)


class Contents:
    """Content of the archive of a study, under paths that are not private.

    Parameters
    ----------
    results : str
        Folder of the results.
    config : dict
        The configuration as the user wrote it.
    sheet : str
        Path of the sheet.
    inputs : list of dict
        The paths in the sheet: `stack`, `channel`, `column`, `path`, its `files`, and the file of
        the results that is `imported` from them.
    include_inputs : bool
        Whether the archive contains these files.

    Attributes
    ----------
    folder, sheet : str
        Paths of the results and of the sheet in the archive.
    sizes : dict of str to int
        Sizes in the archive of the files that a rule made, by their paths in the study. Complete
        when all entries have been collected.
    paths : dict of str to str
        Private paths, the longest first, with those in the archive.
    stamps : dict of str to str
        Stamps of the inputs, which depend on times, with those in the archive.
    """

    def __init__(
        self,
        results: str,
        config: Mapping[str, Any],
        sheet: str,
        inputs: Sequence[Mapping[str, Any]],
        *,
        include_inputs: bool,
    ) -> None:
        self._results, self._config, self._inputs = results, config, inputs
        self._include_inputs = include_inputs
        self._sheet = sheet
        self.sheet, self._table = portable_sheet(sheet, [each["column"] for each in inputs])
        self.folder = "results" if is_outside(results) else results
        self.sizes: dict[str, int] = {}
        paths = {each["path"]: self._place(each) for each in inputs}
        paths |= {value: place(value, f"inputs/{key}") for key, value in _texts(config)}
        paths |= {sheet: self.sheet}
        outside = {path: other for path, other in paths.items() if is_outside(path)}
        self.paths = {path: outside[path] for path in sorted(outside, key=len, reverse=True)}
        self.stamps: dict[str, str] = {}
        for each in inputs:
            record = _read_record(each["imported"])
            if record.get("sha256"):
                self.stamps[record["stamp"]] = record["sha256"][:16]

    def _place(self, each: Mapping[str, Any], file: str | None = None) -> str:
        where = f"inputs/{each['stack']}/{each['channel']}/{each['column']}"
        return place(each["path"], where, file)

    def _in_results(self, file: str | Path) -> str:
        return f"{self.folder}/{Path(file).relative_to(self._results).as_posix()}"

    def results(self, files: Sequence[Path]) -> list[Entry]:
        """Return the results, and the records by which changed inputs are noticed."""
        entries = []
        for file in files_in(files):
            content: Path | bytes = file
            if self.paths and file == Path(self._results, "config.yaml"):
                text = file.read_text(encoding="utf-8")
                for path, other in self.paths.items():
                    text = text.replace(path, other)
                content = text.encode()
            entries.append(Entry(self._in_results(file), content))
            self.sizes[str(file)] = entries[-1].size
        self.sizes |= {str(folder): 0 for folder in files if folder.is_dir()}
        for imported in dict.fromkeys(each["imported"] for each in self._inputs):
            record = _read_record(imported)
            if record.get("sha256"):  # otherwise it depends on the times of the files
                record |= {"stamp": self.stamps[record["stamp"]], "same": []}
            if record:
                content = json.dumps(record).encode()
                entries.append(Entry(self._in_results(record_path(imported)), content))
        return entries

    def configuration(self, tables: Sequence[str]) -> list[Entry]:
        """Return configuration, sheet, and the other tables that the configuration names."""
        config = without_private_paths(self._config) | {"stacks": self.sheet}
        config.pop("skip_incomplete_stacks", None)
        keys = dict(_named_texts(self._config))
        entries = [Entry(self.sheet, self._table)]
        for table in tables:
            key = keys.get(table, "path")
            if key == "corrections":
                entries += self._corrections(table)
                config[key] = entries[-1].name
            else:
                entries.append(Entry(place(table, f"inputs/{key}"), Path(table)))
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120)
        return [Entry(CONFIGURATION, text.encode()), *entries]

    def _corrections(self, table: str) -> list[Entry]:
        """Return the label images that a table of corrections names, and the table itself."""
        images: dict[str, Entry] = {}
        for row in read_table(table, "config.corrections")[0]:
            cells = {name.casefold(): cell for name, cell in row.items()}
            if image := cells.get("image"):
                for file in files_in(list(map(Path, find_images(image)))):
                    name = place(image, folder_of(cells, "image"), str(file))
                    images[name] = Entry(name, file)
        return [*images.values(), Entry(*portable_sheet(table, ["image"], "inputs/corrections"))]

    def inputs(self) -> list[Entry]:
        """Return the files that the sheet names, if the archive contains them."""
        entries: dict[str, Entry] = {}
        for each in self._inputs if self._include_inputs else ():
            for name, file in self._files_of(each).items():
                entries[name] = Entry(name, file)
                self.sizes[str(file)] = entries[name].size
        return list(entries.values())

    def _files_of(self, each: Mapping[str, Any]) -> dict[str, Path]:
        """Return the files of a path in the sheet, by their paths in the archive."""
        found = {
            self._place(each, str(file)): file
            for file in files_in(list(map(Path, each["files"])))
            if file.is_file()
        }
        if not found:
            return found
        beside, first = PurePosixPath(next(iter(found))).parent, Path(each["files"][0]).parent
        for other in _read_record(each["imported"]).get("others", []):
            for file in files_in([first / other]):
                if file.is_file():
                    name = os.path.normpath(beside / os.path.relpath(file, first))
                    found[PurePosixPath(name).as_posix()] = file
        return found

    def images(self) -> list[InputImage]:
        """Return what the crate says about each path in the sheet."""
        found: dict[tuple[str, str], InputImage] = {}
        for each in self._inputs:
            key, name = f"{each['stack']}/{each['channel']}", self._place(each)
            if (name, each["column"]) not in found:
                files, record = self._files_of(each), _read_record(each["imported"])
                sizes = [file.stat().st_size for file in files.values()] or record.get("sizes", [])
                sha256 = record.get("sha256")
                if len(files) == 1:
                    sha256 = Entry("", next(iter(files.values()))).sha256()
                found[name, each["column"]] = InputImage(
                    name=name,
                    column=each["column"],
                    stacks=[],
                    size=sum(sizes) or None,
                    sha256=sha256,
                    files=list(files) if self._include_inputs else [],
                    acquisition={},
                )
            image = found[name, each["column"]]
            image.stacks.append(key)
            if each["column"] == "image":
                imported = read_json(Path(each["imported"]).with_name("import.json"))
                image.acquisition[key] = acquisition_of(imported)
        return list(found.values())

    def date(self) -> str:
        """Return the date of publication: as given, or that of the newest input."""
        given = self._config.get("study", {}).get("date_published")
        if given:
            return str(given)
        files = [Path(file) for each in self._inputs for file in each["files"]]
        times = [file.stat().st_mtime for file in files if file.exists()]
        newest = max(times, default=Path(self._sheet).stat().st_mtime)
        return datetime.fromtimestamp(newest, UTC).date().isoformat()

    def workflow(self, folder: Path, commit: str | None) -> list[Entry]:
        """Return the files of the workflow in a folder, and the commit that they are of."""
        files = {file for pattern in WORKFLOW_FILES for file in folder.glob(pattern)}
        entries = [
            Entry(f"workflow/{file.relative_to(folder).as_posix()}", file)
            for file in files
            if file.is_file()
        ]
        return [*entries, Entry("workflow/COMMIT", f"{commit or ''}\n".encode())]

    def history(self, name: str, text: str) -> Entry:
        """Return the history, by which Snakemake knows that the results are up to date."""
        return Entry(f"{self.folder}/{name}", text.encode())

    def readme(self, version: str) -> Entry:
        """Return the text that explains the archive."""
        inputs = [WITH_INPUTS if self._include_inputs else WITHOUT_INPUTS]
        inputs += [PATHS_REPLACED] if self.paths else []
        text = TEXT.format(
            title=escape(self._config.get("study", {}).get("title", "A run of cellstack")),
            version=version,
            results=self.folder,
            sheet=self.sheet,
            inputs="\n\n".join(inputs),
        )
        return Entry(README, text.encode())


def _texts(value: Any, key: str = "config") -> Iterator[tuple[str, str]]:
    """Yield the texts in a configuration that can be paths, with their keys."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            if name != "study":
                yield from _texts(part, str(name))
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, key)
    elif isinstance(value, str):
        yield key, value


def _read_record(imported: str) -> dict[str, Any]:
    """Return the record of the files that a result was imported from; empty if there is none."""
    try:
        record: dict[str, Any] = read_json(record_path(imported))
    except (OSError, ValueError):
        return {}
    return record
