"""The history of the results: a copy of Snakemake's records, kept in the folder of the results.

To decide which jobs to run again, Snakemake compares modification times, and the params and inputs
that it has recorded in ``.snakemake``. A study that is copied without that folder, or with new
times, loses them. The history, ``.history.jsonl``, contains the same records and times, and they
are restored from it.
"""

import json
import logging
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from cellstack.core.counting import counted
from cellstack.errors import InputError
from cellstack.files.atomic import atomic_write

FILE = ".history.jsonl"
NOT_FINISHED = {"params": ["not known: the job that makes this file did not finish"]}
TIMESTAMP = ".snakemake_timestamp"  # the file whose time Snakemake takes as that of a folder
RESULTS = "<results>/"
LOCAL = Path(".snakemake")
NOT_PORTABLE: dict[str, Any] = {  # in the record of a file; the last two contain folders
    "starttime": 0,
    "endtime": 0,
    "job_hash": 0,
    "external_jobid": None,
    "log": [],
    "input_checksums": {},
}
FIRST_TIME = 946_684_800  # of files in a portable history: the year 2000
MAX_BYTES = 64 * 1024**2  # a longer history is shortened at the end of a run


class History(logging.Handler):
    """Record how each result was made, and restore the records in a copy of the study.

    Only the main process of Snakemake uses it. It follows a run by Snakemake's log records.

    Parameters
    ----------
    results : path-like
        Folder of the results.
    """

    def __init__(self, results: str | Path) -> None:
        super().__init__()
        self._file = Path(results, FILE)
        self._prefix = f"{results}/"
        name = sha256(os.fspath(results).encode()).hexdigest()[:16]
        self._token = LOCAL / "cellstack" / name  # records which history .snakemake belongs to
        self._persistence: Any = None
        self._outputs: Mapping[int, list[Any]] = {}

    def follow(
        self, persistence: Any, outputs: Mapping[int, list[Any]], existing: Iterable[Any]
    ) -> None:
        """Begin to record the outputs of the jobs of a run.

        Parameters
        ----------
        persistence : snakemake.persistence.PersistenceBase
        outputs : dict of int to list
            Output files of each job of the run, by Snakemake's number.
        existing : iterable
            Output files of jobs that need not run. They are recorded if there is no history yet.
        """
        self._persistence, self._outputs = persistence, outputs
        is_new = not self._file.exists()
        with suppress(OSError):  # a run without a history is better than none
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch()
        self.remember()
        if is_new:
            entries = map(self._entry, existing)
            self._append(entry for entry in entries if "record" in entry)

    def emit(self, record: logging.LogRecord) -> None:
        """Handle a log record, if it is about the start or the end of a job."""
        event = str(getattr(record, "event", None) or "")
        if event == "job_info":
            outputs = self._outputs.get(getattr(record, "jobid", -1), [])
            self._append({"file": self._portable(output)} for output in outputs)
        elif event == "job_finished":
            outputs = self._outputs.get(getattr(record, "job_id", -1), [])
            self._persistence.deactivate_cache()  # it has the records from before the job
            self._append(map(self._entry, outputs))

    def _entry(self, output: Any) -> dict[str, Any]:
        entry: dict[str, Any] = {"file": self._portable(output)}
        made = self._persistence.metadata(output)
        if made is None:  # with --drop-metadata
            return entry
        entry["record"] = dict(made.items())
        entry["record"]["input"] = list(map(self._portable, made.input or []))
        with suppress(OSError):  # removed, as no longer needed
            stat = _carrier(str(output)).stat()
            entry |= {"size": stat.st_size, "time": stat.st_mtime_ns}
        return entry

    def _portable(self, path: object) -> str:
        """Return a path with ``<results>`` for the folder of the results, which may be renamed."""
        text = str(path)
        return text.replace(self._prefix, RESULTS, 1) if text.startswith(self._prefix) else text

    def _local(self, path: str) -> str:
        return path.replace(RESULTS, self._prefix, 1) if path.startswith(RESULTS) else path

    def _append(self, entries: Iterable[dict[str, Any]]) -> None:
        with suppress(OSError), self._file.open("a", encoding="utf-8") as file:
            for entry in entries:
                # the line break comes first: an incomplete line then does not damage the next one
                file.write(f"\n{json.dumps(entry)}")

    def finish(self) -> None:
        """End the record of a run."""
        with suppress(OSError, InputError):
            if self._file.stat().st_size > MAX_BYTES:
                lines = map(json.dumps, self._read().values())
                with atomic_write(self._file) as temporary:
                    temporary.write_text("\n".join(lines), encoding="utf-8")
        self.remember()

    def remember(self) -> None:
        """Record that ``.snakemake`` belongs to the present state of this history."""
        with suppress(OSError):
            stat = self._file.stat()
            self._token.parent.mkdir(parents=True, exist_ok=True)
            self._token.write_text(f"{stat.st_ino} {stat.st_size}", encoding="utf-8")

    def _is_known(self) -> bool:
        """Return whether ``.snakemake`` belongs to this history, or to an earlier state of it."""
        try:
            stat = self._file.stat()
        except OSError:
            return True  # there is none
        try:
            number, size = map(int, self._token.read_text(encoding="utf-8").split())
        except (OSError, ValueError):
            return False
        return number == stat.st_ino and size <= stat.st_size

    def restore(self) -> None:
        """Restore Snakemake's records and the times of files, if the results were copied.

        A file that has its recorded size gets its recorded time, so that Snakemake sees in which
        order files were made. A file whose job did not finish will be made again.
        """
        if self._is_known():
            return
        from snakemake.persistence import RECORD_FORMAT_VERSION, MetadataRecord
        from snakemake.persistence.file import FilePersistence

        entries = self._read()
        persistence = FilePersistence(path=LOCAL.absolute())
        for name, entry in entries.items():
            file = self._local(name)
            made = {"record_format_version": RECORD_FORMAT_VERSION} | entry.get(
                "record", NOT_FINISHED
            )
            record = MetadataRecord(**made)
            record.input = sorted(map(self._local, record.input or []))
            if persistence._read_record(file) != record:
                persistence._write_record(file, record)
            _set_time(_carrier(file), entry)
        self.remember()
        print(
            f"cellstack: {self._file.parent} was copied, or .snakemake was removed: restored "
            f"from {self._file} the records of {counted(len(entries), 'files')}",
            file=sys.stderr,
        )

    def _read(self) -> dict[str, dict[str, Any]]:
        """Return the last entry of each file; lines that are not complete are left out."""
        entries = {}
        with self._file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                with suppress(ValueError):
                    entry = json.loads(line)
                    entries[entry["file"]] = entry
        return entries


def portable_history(
    results: str,
    kept: Mapping[str, int],
    *,
    stamps: Mapping[str, str],
    paths: Mapping[str, str],
) -> str:
    """Return a history for a copy of some results, which does not depend on when they were made.

    Parameters
    ----------
    results : str
        Folder of the results, with their history.
    kept : dict of str to int
        The sizes of the files in the copy, by path. Records of the files that they were made from
        are kept too.
    stamps : dict of str to str
        Stamps of files, with those that the copy has instead.
    paths : dict of str to str
        Private paths, with those that the copy has instead.

    Returns
    -------
    str
        The content of the new history. Files have times in the order in which they depend on each
        other.
    """
    history = History(results)
    entries = history._read() if history._file.exists() else {}
    sizes = {history._portable(name): size for name, size in kept.items()}
    new_stamps = {repr(stamp): repr(new) for stamp, new in stamps.items()}  # as Snakemake does
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            depths[name] = 0  # ends a cycle, which a damaged history could contain
            inputs = entries.get(name, {}).get("record", {}).get("input") or []
            depths[name] = 1 + max(map(depth, inputs), default=0)
        return depths[name]

    for name in sizes:
        depth(name)
    logs = {_log_of(entries[name]) for name in depths.keys() & entries.keys()} - {()}
    for name, other in entries.items():  # the other outputs of the same jobs
        if _log_of(other) in logs:
            depth(name)
    lines = []
    for name in sorted(depths.keys() & entries.keys()):
        entry: dict[str, Any] = {"file": name}
        record = entries[name].get("record")
        if record is not None:
            params = [new_stamps.get(param, param) for param in record.get("params") or []]
            for path, new in paths.items():
                params = [param.replace(path, new) if "/" in param else param for param in params]
            entry["record"] = record | NOT_PORTABLE | {"params": sorted(params)}
            entry["record"]["input"] = sorted(record.get("input") or [])
        if name in sizes:
            time = FIRST_TIME + depths[name]
            entry |= {"size": sizes[name], "time": time * 10**9}
        lines.append(json.dumps(entry))
    return "".join(f"{line}\n" for line in lines)


def _log_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the log of the job that made a file, which no other job has."""
    return tuple(entry.get("record", {}).get("log") or [])


def _carrier(file: str) -> Path:
    """Return the file whose time counts as that of an output, which may be a folder."""
    return Path(file, TIMESTAMP) if Path(file).is_dir() else Path(file)


def _set_time(file: Path, entry: Mapping[str, Any]) -> None:
    with suppress(OSError):  # it does not exist, or belongs to someone else
        stat = file.stat()
        if stat.st_size == entry.get("size") and stat.st_mtime_ns != entry["time"]:
            os.utime(file, ns=(stat.st_atime_ns, entry["time"]))
