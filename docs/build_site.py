"""Build the documentation site from the Markdown files of the repository.

python docs/build_site.py
python docs/build_site.py --versions site

The pages are the files in PAGES. They are copied to a temporary folder, with links adapted to their
place in the site, and built by Sphinx; a link without a target is an error. With ``--versions`` the
site of this version is added beside those of other versions, and a menu selects among them.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from cellstack import __version__  # noqa: E402

SITE = ROOT / "site"
HOME = "README.md"
PAGES = {  # section: its files, in the order of the site
    "Start": (
        "docs/start/ten_minutes.md",
        "docs/start/install.md",
        "docs/start/own_stacks.md",
        "docs/start/diameter.md",
        "docs/start/results.md",
        "docs/start/failures.md",
    ),
    "How to": (
        "docs/how_to/recipes.md",
        "docs/how_to/explore.md",
        "docs/how_to/methods.md",
        "docs/how_to/accuracy.md",
        "docs/corrections.md",
        "docs/tissue.md",
        "docs/how_to/segmenters.md",
        "docs/large_stacks.md",
        "docs/cluster.md",
        "docs/publish.md",
        "docs/how_to/workflows.md",
    ),
    "Understand": (
        "docs/understand/segmentation.md",
        "docs/understand/volumes.md",
        "docs/understand/flags.md",
        "docs/understand/other_programs.md",
        "benchmarks/accuracy.md",
        "benchmarks/README.md",
        "docs/reliability.md",
    ),
    "Tutorial": (
        "docs/tutorial/overview.md",
        "docs/tutorial/images.md",
        "docs/tutorial/contrast.md",
        "docs/tutorial/filters.md",
        "docs/tutorial/thresholds.md",
        "docs/tutorial/morphology.md",
        "docs/tutorial/watershed.md",
        "docs/tutorial/features.md",
        "docs/tutorial/challenges.md",
    ),
    "Reference": (
        "config/README.md",
        "docs/reference/columns.md",
        "docs/reference/files.md",
        "docs/reference/rules.md",
    ),
    "Contribute": ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"),
}
MOVED = {  # files outside docs/, and where they are in the site
    HOME: "index.md",
    "config/README.md": "reference/configuration.md",
    "benchmarks/accuracy.md": "understand/accuracy.md",
    "benchmarks/README.md": "understand/run_time.md",
    "CONTRIBUTING.md": "contribute/contributing.md",
    "SECURITY.md": "contribute/security.md",
    "CHANGELOG.md": "contribute/changes.md",
}
LINK = re.compile(r"(?<=\]\()(?!\w+:)([^)\s#]*)(#[^)\s]*)?(?=\))")
FENCED = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def place_of(page: str) -> str:
    """Return the path of a page in the site.

    Examples
    --------
    >>> place_of("docs/start/install.md"), place_of("config/README.md")
    ('start/install.md', 'reference/configuration.md')
    """
    return MOVED.get(page) or page.removeprefix("docs/")


def stage(folder: Path) -> None:
    """Copy all pages and the files that they link to into a folder for Sphinx."""
    pages = [HOME, *(page for section in PAGES.values() for page in section)]
    for page in pages:
        target = folder / place_of(page)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / page).read_text(encoding="utf-8").replace("```csv", "```text")
        if page == HOME:
            text += "\n".join(
                ["", "```{toctree}", ":hidden:", "", *map(section_page, PAGES), "```"]
            )
        target.write_text("".join(adapt(text, page, pages, folder)), encoding="utf-8")
    for section in PAGES:
        path = folder / section_page(section)
        path.parent.mkdir(exist_ok=True)
        path.write_text(contents(section), encoding="utf-8")
    shutil.copy(ROOT / "docs" / "conf.py", folder)
    for name in ("_templates", "_static"):
        shutil.copytree(ROOT / "docs" / name, folder / name)


def adapt(text: str, page: str, pages: list[str], folder: Path) -> Iterator[str]:
    """Yield the parts of a page, with links to other pages and files as in the site."""
    here = PurePosixPath(place_of(page)).parent

    def place(match: re.Match[str]) -> str:
        if not match[1]:  # within the page
            return match[0]
        path = (ROOT / page).parent / match[1]
        target = path.resolve().relative_to(ROOT).as_posix()
        if target in pages:
            target = place_of(target)
        elif path.is_file():
            source, target = path, f"files/{target}"
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / target)
        return os.path.relpath(target, here) + (match[2] or "")

    for part in FENCED.split(text):
        yield part if part.lstrip().startswith("```") else LINK.sub(place, part)


def section_page(section: str) -> str:
    """Return the path of the page of a section.

    Examples
    --------
    >>> section_page("How to")
    'how_to/index.md'
    """
    return f"{section.lower().replace(' ', '_')}/index.md"


def contents(section: str) -> str:
    """Return the page of a section: its pages, each with its first sentence."""
    here = PurePosixPath(section_page(section)).parent
    lines, places = [f"# {section}", ""], []
    for page in PAGES[section]:
        text = (ROOT / page).read_text(encoding="utf-8")
        title, summary = summarize(text)
        places.append(os.path.relpath(place_of(page), here))
        lines.append(f"- [{title}]({places[-1]}): {summary}")
    return "\n".join([*lines, "", "```{toctree}", ":hidden:", "", *places, "```", ""])


def summarize(text: str) -> tuple[str, str]:
    r"""Return the title of a page, and its first sentence without links.

    Examples
    --------
    >>> summarize("# Sizes\n\nAll [sizes](a.md) are in um. They are never\nguessed.\n")
    ('Sizes', 'All sizes are in um.')
    """
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    paragraphs = re.findall(r"^[\w`*](?:[^\n]+\n)+", text, re.MULTILINE)
    if title is None or not paragraphs:
        raise ValueError(f"no title or no text: {text[:80]}")
    sentence = re.split(r"(?<=[.:])\s", " ".join(paragraphs[0].split()))[0]
    return title[1], re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", sentence).rstrip(":.") + "."


def build(folder: Path, has_versions: bool) -> int:
    """Build the site into a folder, and return the exit status of Sphinx."""
    shutil.rmtree(folder, ignore_errors=True)
    environment = {**os.environ, "CELLSTACK_VERSION": __version__}
    environment["CELLSTACK_VERSIONS"] = "yes" if has_versions else ""
    with tempfile.TemporaryDirectory() as sources:
        stage(Path(sources))
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--quiet", "-b", "html"]
        return subprocess.run(
            [*command, "-d", f"{sources}/.doctrees", sources, folder], env=environment, check=False
        ).returncode


def list_versions(folder: Path) -> None:
    """Write the versions in a folder for the menu of the sites, the newest first."""
    found = sorted(
        (path.parent.name for path in folder.glob("*/index.html")),
        key=lambda name: [int(number) for number in re.findall(r"\d+", name)],
        reverse=True,
    )
    versions = [{"version": name, "url": f"../{name}/"} for name in found]
    (folder / "versions.json").write_text(json.dumps(versions), encoding="utf-8")
    newest = f'<meta http-equiv="refresh" content="0; url={found[0]}/index.html">\n'
    (folder / "index.html").write_text(newest, encoding="utf-8")


def main() -> int:
    """Build the site, or add this version to the sites of others."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--versions", type=Path, help="folder with one site for each version")
    versions = parser.parse_args().versions
    status = build(versions / __version__ if versions else SITE, bool(versions))
    if versions and not status:
        list_versions(versions)
    return status


if __name__ == "__main__":
    sys.exit(main())
