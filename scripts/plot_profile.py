"""Plot the intensities of all channels along a row."""

from pathlib import Path

from cellstack.figures import pdf
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import read_stack
from cellstack.gallery.plot_profile import draw_profile, plot_profile
from cellstack.run import job


def main(*, raw: list[Path], view: Path, profile: Path, vector: Path, channels: list) -> None:
    """Read the `raw` stacks of all `channels` and the `view`.

    Write the section `profile`, and its plot as PDF (`vector`).
    """
    stacks = {name: read_stack(path)[0] for name, path in zip(channels, raw, strict=True)}
    _, spacing = read_stack(raw[0])
    chosen = read_json(view)
    snippet = {"choose_view": {"plane": chosen["plane"], "row": chosen["row"]}}
    panels = [{"title": "profile", "snippet": snippet}]
    write_json(profile, plot_profile(stacks, spacing, chosen, panels))
    pdf.save(draw_profile(stacks, spacing, chosen), vector)


job.run(main)
