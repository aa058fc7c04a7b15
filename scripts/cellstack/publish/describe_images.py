"""The part of the methods section on the images: their number, voxel size and acquisition."""

from collections.abc import Mapping, Sequence
from typing import Any

from cellstack.core.counting import counted
from cellstack.publish.wording import (
    escape,
    join_words,
    plural,
    sentence_case,
    setting_in_words,
    stack_names,
)

MAX_DIFFERENT = 5  # voxel sizes or acquisitions, above which only ranges are given
ACQUISITION = {  # wording of what an image file says, in this order
    "microscope": "microscope {}",
    "system": "system {}",
    "objective": "objective {}",
    "magnification": "magnification {}",
    "numerical_aperture": "numerical aperture {}",
    "immersion": "immersion {}",
    "refractive_index": "refractive index {}",
    "detector": "detector {}",
    "fluorophore": "fluorophore {}",
    "mode": "mode {}",
    "excitation_nm": "excitation {} nm",
    "emission_nm": "emission {} nm",
    "exposure_ms": "exposure {} ms",
    "pinhole_um": "pinhole {} µm",
    "pinhole_airy": "pinhole {} Airy units",
    "bit_depth": "{} bit",
}


def describe_images(
    stacks: Sequence[str],
    rows: Mapping[tuple[str, str], Mapping[str, str]],
    records: Mapping[str, Mapping[str, Any]],
    simulated: Sequence[str],
) -> str:
    """Return sentences on the stacks, their channels, voxel sizes and acquisition.

    Parameters
    ----------
    stacks : sequence of str
    rows : dict of (str, str) to dict of str to str
        Rows of ``stacks.csv``, by stack and kind of object.
    records : dict of str to dict
        The records of the import, by ``"stack/channel"``.
    simulated : sequence of str
        Stacks that are simulated.
    """
    parts = [_channels(stacks, records)]
    if simulated:
        verb = "is" if len(simulated) == 1 else "are"
        parts.append(f"{sentence_case(stack_names(simulated, stacks))} {verb} simulated.")
    sizes: dict[tuple[str, ...], list[str]] = {}
    for (stack, _), row in rows.items():
        cells = [row.get(f"voxel_size_{axis}_um", "") for axis in "zyx"]
        size = tuple(f"{float(cell):.4g}" for cell in cells if cell)
        if len(size) == len(cells) and stack not in sizes.setdefault(size, []):
            sizes[size].append(stack)
    if len(sizes) > MAX_DIFFERENT:
        ranges = [
            setting_in_words("size_um", list(map(float, each))) for each in zip(*sizes, strict=True)
        ]
        z, y, x = ranges
        parts.append(f"The voxel size was {z} along z, {y} along y and {x} along x.")
    else:
        for size, having in sizes.items():
            of = "" if len(sizes) == 1 else f" of {stack_names(having, stacks)}"
            parts.append(f"The voxel size{of} was {' x '.join(size)} µm along z, y and x.")
    return " ".join([*parts, *_acquisition(stacks, records)])


def _channels(stacks: Sequence[str], records: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a sentence with the number of stacks, and the stacks that lack a channel."""
    having: dict[str, list[str]] = {}
    for key in records:
        stack, channel = key.split("/")
        having.setdefault(channel, []).append(stack)
    common = [channel for channel in having if len(having[channel]) >= len(stacks)]
    named = f" with the {plural('channel', common)} {join_words(common)}" if common else ""
    verb = "was" if len(stacks) == 1 else "were"
    others = [
        f"The channel {channel} was present in {stack_names(owners, stacks)}."
        for channel, owners in having.items()
        if channel not in common
    ]
    return " ".join([f"{counted(len(stacks), 'stacks')}{named} {verb} analysed.", *others])


def _acquisition(stacks: Sequence[str], records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a sentence on the acquisition, from the metadata of the image files.

    Stacks that agree are described together. For a channel with many different acquisitions, only
    what they have in common is described.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for key, record in records.items():
        stack, channel = key.split("/")
        details = acquisition_of(record)
        found.setdefault(channel, {})[stack] = {
            name: details[name] for name in ACQUISITION if name in details
        }
    lines = []
    for channel, of_stacks in found.items():
        different = {repr(details): details for details in of_stacks.values()}
        if len(different) > MAX_DIFFERENT:
            common = set.intersection(*(set(each.items()) for each in different.values()))
            of_stacks = {
                stack: {name: each[name] for name in each if (name, each[name]) in common}
                for stack, each in of_stacks.items()
            }
        said: dict[str, list[str]] = {}
        for stack, details in of_stacks.items():
            texts = [ACQUISITION[name].format(escape(value)) for name, value in details.items()]
            if texts:
                said.setdefault(f"{channel}: {', '.join(texts)}", []).append(stack)
        lines += [
            text if len(having) == len(stacks) else f"{text} ({stack_names(having, stacks)})"
            for text, having in said.items()
        ]
    if not lines:
        return []
    return [
        f"According to the image files, the channels were acquired as follows: {'; '.join(lines)}."
    ]


def acquisition_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the acquisition metadata of the imported channel.

    Parameters
    ----------
    record : dict
        The record of an import, ``import.json``.

    Returns
    -------
    dict of str to (str or float)

    Examples
    --------
    >>> said = {"objective": "63x", "channels": [{"emission_nm": 461.0}, {"emission_nm": 520.0}]}
    >>> acquisition_of({"acquisition": said, "channel": {"index": 1}})
    {'objective': '63x', 'emission_nm': 520.0}
    """
    said = dict(record.get("acquisition") or {})
    channels = said.pop("channels", [])
    index = record["channel"]["index"]
    own = channels[index] if index < len(channels) else {}
    return said | {name: value for name, value in own.items() if name != "name"}
