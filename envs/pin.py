"""Write envs/cellstack.yaml: the direct requirements, at the versions of requirements.txt."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# The software of every rule for `snakemake --sdm conda`, at the versions of requirements.txt; written by envs/pin.py (make lock).
# The packages come through pip, so that they are the same builds as without conda.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python =3.12
  - pip
  - pip:
"""


def main():
    """Take each requirement that a script imports from the lock, all but Snakemake, which runs outside of the environment."""
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    names = re.findall(r"^[a-z0-9-]+", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    lines = [f"      - {name}=={pins[name]}\n" for name in names if name != "snakemake"]
    (ROOT / "envs" / "cellstack.yaml").write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    main()
