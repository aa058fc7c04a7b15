"""Write the configuration of a run as it was resolved."""

from pathlib import Path

import yaml

from cellstack import job, sizes, whole_files


class Plain(yaml.SafeDumper):
    """Writes what occurs twice twice, in place of an alias."""

    def ignore_aliases(self, data):
        """Never use one."""
        return True


def main(*, resolved: Path, config: dict, stages: list, diameters: list[Path] = ()):
    """Write `config` with its defaults, and below `resolved` what `stages` came to in um for which stacks.

    Those of `stages` whose sizes go by an estimated diameter have its file in `diameters`, in their order.
    """
    files = iter(diameters)
    stages = [sizes.in_um(each, sizes.read_diameter(next(files))["diameter_um"]) if sizes.has_sizes(each) else each for each in stages]
    with whole_files.whole_file(resolved) as partial:
        text = yaml.dump(config | {"resolved": stages}, Dumper=Plain, sort_keys=False, allow_unicode=True, width=120)
        partial.write_text(text, encoding="utf-8")


job.run(main)
