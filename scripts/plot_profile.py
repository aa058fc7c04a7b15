"""Plot the intensities of all channels along a row."""

from pathlib import Path
from typing import Any

from cellstack.figures import pdf
from cellstack.figures.drawing import use_color_map
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack
from cellstack.files.tables import as_text, write_rows
from cellstack.gallery.plot_profile import draw_profile, list_profile, plot_profile
from cellstack.gallery.views import of_block
from cellstack.run import job


def main(
    *,
    raw: list[Path],
    view: Path,
    profile: Path,
    vector: Path,
    table: Path,
    channels: list,
    color_map: str = "gray",
    block: dict[str, Any] | None = None,
) -> None:
    """Read the `raw` stacks of all `channels` and the `view`.

    Write the section `profile`, its plot as PDF (`vector`) and its values (`table`), of a `block`
    of the stacks if one is shown.
    """
    stacks = {
        name: of_block(open_stack(path)[0], block) for name, path in zip(channels, raw, strict=True)
    }
    _, spacing = open_stack(raw[0])
    chosen = read_json(view)
    snippet = {"choose_view": {"plane": chosen["plane"], "row": chosen["row"]}}
    panels = [{"title": "profile", "snippet": snippet}]
    with use_color_map(color_map):
        write_json(profile, plot_profile(stacks, spacing, chosen, panels))
        pdf.save(draw_profile(stacks, spacing, chosen), vector)
    rows = map(as_text, list_profile(stacks, spacing, chosen))
    write_rows(table, ["x_um", *channels], rows)


job.run(main)
