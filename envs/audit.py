"""Compare all pinned packages with the published list of vulnerabilities (make audit).

Ends with status 0 if none is known, 1 if there is one, and 2 if the list cannot be reached or does
not have all packages.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).resolve().parent / "requirements"
OPTIONS = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
VULNERABLE, UNKNOWN = 1, 2


def main() -> int:
    """Audit each file of pinned packages, print a line per finding, and return the status."""
    vulnerable, unknown, count = [], [], 0
    for path in sorted(REQUIREMENTS.glob("*.txt")):
        answer, error = ask(path)
        try:
            packages = json.loads(answer)["dependencies"]
        except ValueError:
            unknown.append(f"{path.name} ({error})")
            continue
        count += len(packages)
        vulnerable += [f"{path.name}: {line}" for each in packages for line in describe(each)]
        unknown += [f"{each['name']} of {path.name}" for each in packages if "skip_reason" in each]
    for line in vulnerable:
        print(line)
    if unknown:
        named = ", ".join(unknown[:3])
        others = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        print(
            f"The published list of vulnerabilities cannot be reached, or lacks {named}{others}: "
            "run `make audit` where the Internet can be reached.",
            file=sys.stderr,
        )
    elif not vulnerable:
        print(f"No vulnerability is known of {count} pinned packages.")
    return VULNERABLE if vulnerable else UNKNOWN if unknown else 0


def ask(path: Path) -> tuple[str, str]:
    """Return the answer of pip-audit for a file, and the last line of its errors."""
    command = [sys.executable, "-m", "pip_audit", *OPTIONS, "--requirement", str(path)]
    process = subprocess.run(command, capture_output=True, text=True)
    lines = process.stderr.strip().splitlines() or [f"exit status {process.returncode}"]
    return process.stdout, lines[-1][:200]


def describe(package: dict[str, Any]) -> list[str]:
    """Return a line for each known vulnerability of a package."""
    return [
        f"{package['name']} {package['version']}: {each['id']}, fixed in "
        f"{', '.join(each['fix_versions']) or 'no version yet'}"
        for each in package.get("vulns", ())
    ]


if __name__ == "__main__":
    sys.exit(main())
