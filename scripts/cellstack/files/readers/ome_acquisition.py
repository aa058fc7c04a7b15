"""Acquisition metadata of an OME-TIFF."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from cellstack.files.readers import acquisition

NANOMETRES = {"nm": 1.0, "µm": 1e3, "um": 1e3, "mm": 1e6, "m": 1e9, "Å": 0.1}
MILLISECONDS = {"ms": 1.0, "s": 1e3, "µs": 1e-3, "us": 1e-3, "ns": 1e-6, "min": 6e4}
MICROMETRES = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "m": 1e6}


def describe_ome(root: Element, image: Element) -> dict[str, Any]:
    """Return the acquisition metadata of an image from OME metadata.

    Parameters
    ----------
    root : xml.etree.ElementTree.Element
        Root element, which has the instruments.
    image : xml.etree.ElementTree.Element
        The element ``Image``.

    Returns
    -------
    dict
        See :func:`cellstack.files.readers.acquisition.describe`. The exposure of a channel is left
        out if it differs between planes.
    """
    pixels = _child(image, "Pixels")
    instrument = _referred(root, "Instrument", image.find("{*}InstrumentRef"))
    objective = _referred(instrument, "Objective", image.find("{*}ObjectiveSettings"))
    settings = _child(image, "ObjectiveSettings")
    microscope = _child(instrument, "Microscope")
    date = image.findtext("{*}AcquisitionDate") or image.findtext("{*}AcquiredDate")
    return acquisition.describe(
        {
            "date": date,
            "microscope": _named(microscope),
            "objective": _named(objective),
            "magnification": objective.get("NominalMagnification"),
            "numerical_aperture": objective.get("LensNA"),
            "immersion": objective.get("Immersion") or settings.get("Medium"),
            "refractive_index": settings.get("RefractiveIndex"),
            "bit_depth": pixels.get("SignificantBits"),
        },
        [
            {
                "name": channel.get("Name"),
                "fluorophore": channel.get("Fluor"),
                "mode": channel.get("AcquisitionMode"),
                "excitation_nm": _length(channel, "ExcitationWavelength", NANOMETRES, "nm"),
                "emission_nm": _length(channel, "EmissionWavelength", NANOMETRES, "nm"),
                "pinhole_um": _length(channel, "PinholeSize", MICROMETRES, "µm"),
                "exposure_ms": _exposure(pixels, number),
                "detector": _named(
                    _referred(instrument, "Detector", channel.find("{*}DetectorSettings"))
                ),
            }
            for number, channel in enumerate(pixels.findall("{*}Channel"))
        ],
    )


def _child(element: Element, name: str) -> Element:
    found = element.find(f"{{*}}{name}")
    return Element(name) if found is None else found


def _referred(parent: Element, name: str, reference: Element | None) -> Element:
    """Return the element that another one refers to; without a reference the only one."""
    elements = parent.findall(f"{{*}}{name}")
    if reference is not None:
        elements = [each for each in elements if each.get("ID") == reference.get("ID")]
    return elements[0] if len(elements) == 1 else Element(name)


def _named(element: Element) -> str:
    """Return manufacturer and model."""
    return " ".join(filter(None, (element.get("Manufacturer"), element.get("Model"))))


def _length(element: Element, name: str, units: Mapping[str, float], default: str) -> float | None:
    return _converted(element.get(name), element.get(f"{name}Unit", default), units)


def _converted(value: str | None, unit: str, units: Mapping[str, float]) -> float | None:
    try:
        return None if value is None else float(value) * units[unit]
    except (ValueError, KeyError):  # not a number, or a unit such as "pixel"
        return None


def _exposure(pixels: Element, channel: int) -> float | None:
    """Return the exposure of a channel in ms, if it is the same in all planes."""
    found = {
        _length(plane, "ExposureTime", MILLISECONDS, "s")
        for plane in pixels.findall(f"{{*}}Plane[@TheC='{channel}']")
    }
    return found.pop() if len(found) == 1 else None
