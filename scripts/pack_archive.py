"""Pack the results of a run, its configuration and the workflow into one zip file."""

from pathlib import Path
from typing import Any

from cellstack.files.atomic import atomic_write
from cellstack.files.records import read_json
from cellstack.publish.crate import describe_crate
from cellstack.publish.pack_archive import Study, checksum_entry, json_entry, write_zip
from cellstack.run import job
from cellstack.run.history import FILE, portable_history


def main(
    *,
    files: list[Path],
    provenance: Path,
    archive: Path,
    results: str,
    config: dict[str, Any],
    sheet: str,
    tables: list[str],
    inputs: list[dict[str, Any]],
    include_inputs: bool,
    workflow: str,
) -> None:
    """Write `archive` with the `files` of the results, and with their description.

    `config` is the configuration as the user wrote it, `sheet` and `tables` are the tables that it
    names, and `inputs` are the paths in the sheet, each with its files and the result that is
    imported from it. `workflow` is the folder of the Snakefile.
    """
    software = read_json(provenance)
    study = Study(results, config, sheet, inputs, include_inputs=include_inputs)
    entries = [
        *study.results(files),
        *study.configuration(tables),
        *study.inputs(),
        *study.workflow(Path(workflow), software["commit"]),
        study.readme(software["cellstack"]),
    ]
    history = portable_history(
        Path(results, FILE), results, study.sizes, stamps=study.stamps, paths=study.paths
    )
    entries.append(study.history(FILE, history))
    described = describe_crate(
        [entry.described() for entry in entries],
        study.images(),
        date=study.date(),
        results=study.folder,
        sheet=study.sheet,
        study=config.get("study", {}),
        software=software,
    )
    entries.append(json_entry("ro-crate-metadata.json", described))
    entries.append(checksum_entry({entry.name: entry.sha256() for entry in entries}))
    with atomic_write(archive) as temporary:
        write_zip(temporary, entries)


job.run(main)
