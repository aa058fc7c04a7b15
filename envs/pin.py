"""Write envs/cellstack.yaml: the direct requirements, at the locked versions."""

import re
from pathlib import Path

ENVS = Path(__file__).resolve().parent
REQUIREMENTS = ENVS / "requirements"
OUTSIDE = ("snakemake", "pygments")  # they run and report the workflow, outside the environment
HEADER = """\
# The software of every rule for `snakemake --sdm conda`, at the versions of requirements/run.txt
# and requirements/formats.txt. Written by envs/pin.py (make lock). The packages are installed by
# pip, so that they are the same builds as without conda.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python =3.12
  - pip
  - pip:
"""


def main() -> None:
    """Pin each requirement of the rules."""
    lines = []
    for lock in ("run", "formats"):
        pinned, direct = ((REQUIREMENTS / f"{lock}.{end}").read_text() for end in ("txt", "in"))
        pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", pinned, re.MULTILINE))
        names = re.findall(r"^[a-z][a-z0-9-]*", direct, re.MULTILINE)
        lines += [f"      - {name}=={pins[name]}\n" for name in names if name not in OUTSIDE]
    (ENVS / "cellstack.yaml").write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    main()
