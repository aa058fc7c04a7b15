"""Write the resolved configuration of a run."""

from pathlib import Path
from typing import Any

import yaml

from cellstack import __version__
from cellstack.config import lengths
from cellstack.files.atomic import atomic_write
from cellstack.run import job


class NoAliasDumper(yaml.SafeDumper):
    """Writes repeated values in full instead of as YAML aliases."""

    def ignore_aliases(self, data: object) -> bool:
        """Return True for all values."""
        return True


def main(
    *,
    resolved: Path,
    config: dict[str, Any],
    stages: list[Any],
    diameters: list[Path] = (),
) -> None:
    """Write `config` with its defaults, the version, and below `resolved` the params of `stages`.

    `diameters` are the files of the estimated diameters, in the order of those of `stages` whose
    sizes depend on one.
    """
    files = iter(diameters)
    in_um = []
    for each in stages:
        if lengths.has_sizes(each):
            each = lengths.in_um(each, lengths.read_diameter(next(files))["diameter_um"])
        in_um.append(each)
    text = yaml.dump(
        {"version": __version__} | config | {"resolved": in_um},
        Dumper=NoAliasDumper,
        sort_keys=False,
        allow_unicode=True,
        width=120,
    )
    with atomic_write(resolved) as temporary:
        temporary.write_text(text, encoding="utf-8")


job.run(main)
