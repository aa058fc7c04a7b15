"""Write the conda environments of the rules: the direct requirements, at the locked versions."""

import re
from pathlib import Path

ENVS = Path(__file__).resolve().parent
REQUIREMENTS = ENVS / "requirements"
OUTSIDE = ("snakemake", "pygments")  # they run and report the workflow, outside the environment
LOCKS = {
    "cellstack": ("run", "formats"),
    "export": ("run", "export"),
    "classify": ("run", "classify"),
}
HEADER = """\
# The software of {rules} for `snakemake --sdm conda`, at the versions of requirements/{first}.txt
# and requirements/{second}.txt. Written by envs/pin.py (make lock). The packages are installed by
# pip, so that they are the same builds as without conda.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python =3.12
  - pip
  - pip:
"""
RULES = {
    "cellstack": "every rule",
    "export": "rules that write other formats",
    "classify": "the rule that fits a classifier",
}


def main() -> None:
    """Pin each requirement of the rules."""
    for environment, locks in LOCKS.items():
        lines = []
        for lock in locks:
            pinned, direct = ((REQUIREMENTS / f"{lock}.{end}").read_text() for end in ("txt", "in"))
            pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", pinned, re.MULTILINE))
            names = re.findall(r"^[a-z][a-z0-9-]*", direct, re.MULTILINE)
            lines += [f"      - {name}=={pins[name]}\n" for name in names if name not in OUTSIDE]
        header = HEADER.format(rules=RULES[environment], first=locks[0], second=locks[1])
        (ENVS / f"{environment}.yaml").write_text(header + "".join(lines))


if __name__ == "__main__":
    main()
