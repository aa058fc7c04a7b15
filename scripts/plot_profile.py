"""Draw the intensities of all channels along one row."""

from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.plot_profile import plot_profile


def main(*, raw: list[Path], view: Path, profile: Path, channels: list):
    """Read the `raw` stacks of all `channels` and the `view`; write the section `profile` of the gallery."""
    stacks = dict(zip(channels, (io.read_stack(path)[0] for path in raw), strict=True))
    _, spacing = io.read_stack(raw[0])
    seen = whole_files.read_json(view)
    snippet = {"choose_view": {"plane": seen["plane"], "row": seen["row"]}}
    whole_files.write_json(profile, plot_profile(stacks, spacing, seen, [{"title": "profile", "snippet": snippet}]))


job.run(main)
