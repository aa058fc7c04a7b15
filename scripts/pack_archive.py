"""Pack the results of a run, its configuration and the workflow into one zip file."""

from pathlib import Path
from typing import Any

from cellstack.files.atomic import atomic_write
from cellstack.files.records import read_json
from cellstack.publish.crate import describe_crate
from cellstack.publish.pack_archive import CRATE, Contents
from cellstack.publish.zip_file import checksum_entry, json_entry, write_zip
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
    contents = Contents(results, config, sheet, inputs, include_inputs=include_inputs)
    entries = [
        *contents.results(files),
        *contents.configuration(tables),
        *contents.inputs(),
        *contents.workflow(Path(workflow), software["commit"]),
        contents.readme(software["cellstack"]),
    ]
    history = portable_history(
        results, contents.sizes, stamps=contents.stamps, paths=contents.paths
    )
    entries.append(contents.history(FILE, history))
    files_described = [entry.described() for entry in entries]
    described = describe_crate(
        files_described,
        contents.images(),
        date=contents.date(),
        results=contents.folder,
        sheet=contents.sheet,
        study=config.get("study", {}),
        software=software,
    )
    crate = json_entry(CRATE, described)
    entries += [crate, checksum_entry([*files_described, crate.described()])]
    with atomic_write(archive) as temporary:
        write_zip(temporary, entries)


job.run(main)
