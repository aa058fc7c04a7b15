import numpy as np
import pytest
import tifffile

from cellstack.files.readers import tiff_microscopes
from cellstack.files.readers.opening import open_image

OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
 <Instrument ID="Instrument:0">
  <Microscope Manufacturer="Zeiss" Model="Axio Observer"/>
  <Detector ID="Detector:1" Model="Prime 95B"/>
  <Objective ID="Objective:0" Model="Plan 10x"/>
  <Objective ID="Objective:1" Manufacturer="Zeiss" Model="Plan-Apo" NominalMagnification="63"
   LensNA="1.4000001" Immersion="Oil"/>
 </Instrument>
 <Image ID="Image:0">
  <AcquisitionDate>2026-01-31T10:00:00</AcquisitionDate>
  <InstrumentRef ID="Instrument:0"/>
  <ObjectiveSettings ID="Objective:1" RefractiveIndex="1.518"/>
  <Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SignificantBits="12" SizeX="5"
   SizeY="4" SizeZ="2" SizeC="2" SizeT="1" PhysicalSizeX="0.1" PhysicalSizeY="0.1"
   PhysicalSizeZ="0.5">
   <Channel ID="Channel:0" Name="DAPI" Fluor="DAPI" ExcitationWavelength="405"
    EmissionWavelength="0.461" EmissionWavelengthUnit="µm" PinholeSize="40">
    <DetectorSettings ID="Detector:1"/>
   </Channel>
   <Channel ID="Channel:1" Name="GFP" ExcitationWavelength="1" ExcitationWavelengthUnit="pixel"/>
   <TiffData/>
   <Plane TheZ="0" TheC="0" TheT="0" ExposureTime="0.1"/>
   <Plane TheZ="1" TheC="0" TheT="0" ExposureTime="0.1"/>
   <Plane TheZ="0" TheC="1" TheT="0" ExposureTime="50" ExposureTimeUnit="ms"/>
   <Plane TheZ="1" TheC="1" TheT="0" ExposureTime="60" ExposureTimeUnit="ms"/>
  </Pixels>
 </Image>
</OME>"""
EXPECTED = {
    "date": "2026-01-31T10:00:00",
    "microscope": "Zeiss Axio Observer",
    "objective": "Zeiss Plan-Apo",
    "magnification": 63.0,
    "numerical_aperture": 1.4,
    "immersion": "Oil",
    "refractive_index": 1.518,
    "bit_depth": 12.0,
    "channels": [
        {
            "name": "DAPI",
            "fluorophore": "DAPI",
            "excitation_nm": 405.0,
            "emission_nm": 461.0,
            "pinhole_um": 40.0,
            "exposure_ms": 100.0,
            "detector": "Prime 95B",
        },
        {"name": "GFP", "detector": "Prime 95B"},  # the only one; its planes differ in exposure
    ],
}


def acquisition_of(path, xml):
    stack = np.zeros((2, 2, 4, 5), np.uint16)
    tifffile.imwrite(path, stack, description=xml.encode(), metadata=None)
    with open_image([path]) as source:
        return source.acquisition


def test_what_ome_metadata_say_about_the_acquisition_is_kept(tmp_path):
    assert acquisition_of(tmp_path / "a.ome.tif", OME) == EXPECTED


def test_an_objective_that_is_not_named_is_not_guessed(tmp_path):
    xml = OME.replace('<ObjectiveSettings ID="Objective:1" RefractiveIndex="1.518"/>', "")
    found = acquisition_of(tmp_path / "a.ome.tif", xml)
    assert "objective" not in found and "numerical_aperture" not in found
    assert found["microscope"] == "Zeiss Axio Observer"


@pytest.mark.parametrize("value", ["NaN", "1e999", "many"])
def test_values_that_are_no_numbers_are_left_out(tmp_path, value):
    xml = OME.replace('ExcitationWavelength="405"', f'ExcitationWavelength="{value}"')
    assert "excitation_nm" not in acquisition_of(tmp_path / "a.ome.tif", xml)["channels"][0]


class Lsm:
    """A TIFF with the metadata of an LSM, as tifffile returns them."""

    def __init__(self, channels, lasers=(488.0,)):
        track = {
            "Acquire": 1,
            "IlluminationChannels": [{"Wavelength": each, "Acquire": 1} for each in lasers],
            "DetectionChannels": [
                {"ChannelName": name, "DyeName": "GFP", "BitsPerSample": 12, "Acquire": 1}
                for name in channels
            ],
        }
        scan = {"Objective": "Plan-Apochromat 63x/1.40 Oil", "Tracks": [track]}
        self.lsm_metadata = {"ScanInformation": scan, "DimensionChannels": 1}


def test_what_an_lsm_says_about_the_acquisition_is_kept():
    expected = {"objective": "Plan-Apochromat 63x/1.40 Oil", "bit_depth": 12.0}
    channel = {"name": "Ch1", "fluorophore": "GFP"}
    assert tiff_microscopes.describe_lsm(Lsm(["Ch1"])) == expected | {
        "channels": [channel | {"excitation_nm": 488.0}]
    }
    # two lasers: which one excites the channel is not known
    assert tiff_microscopes.describe_lsm(Lsm(["Ch1"], [488.0, 561.0])) == expected | {
        "channels": [channel]
    }
    assert tiff_microscopes.describe_lsm(Lsm(["Ch1", "Ch2"])) == expected  # one is in the file
