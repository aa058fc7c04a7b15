"""Write envs/cellstack.yaml: the direct requirements, at the versions of requirements/run.txt."""

import re
from pathlib import Path

ENVS = Path(__file__).resolve().parent
REQUIREMENTS = ENVS / "requirements"
HEADER = """\
# The software of every rule for `snakemake --sdm conda`, at the versions of requirements/run.txt.
# Written by envs/pin.py (make lock). The packages are installed by pip, so that they are the same
# builds as without conda.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python =3.12
  - pip
  - pip:
"""


def main() -> None:
    """Pin each requirement except Snakemake, which runs outside the environment."""
    pins = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)", (REQUIREMENTS / "run.txt").read_text(), re.MULTILINE)
    )
    names = re.findall(r"^[a-z0-9-]+", (REQUIREMENTS / "run.in").read_text(), re.MULTILINE)
    lines = [f"      - {name}=={pins[name]}\n" for name in names if name != "snakemake"]
    (ENVS / "cellstack.yaml").write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    main()
