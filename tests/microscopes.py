"""Small files in the formats of microscopes, for the tests of readers."""

import struct

import numpy as np
import tifffile
from reading import CHANNELS

SPACING = {"z": 1.0, "y": 0.5, "x": 0.25}  # um


def write_czi(path, series, *, scenes=1, tiles=(), spacing=SPACING, compression="uncompressed:"):
    """Write a series (T, C, Z, Y, X); scene s has values increased by s. Tiles are shifts in x."""
    from pylibCZIrw import czi

    with czi.create_czi(str(path), compression_options=compression) as file:
        for scene in range(scenes):
            for shift in tiles or [0]:
                for (time, channel, z), plane in planes_of(series):
                    file.write(
                        plane + np.array(scene, plane.dtype),
                        plane={"T": time, "C": channel, "Z": z},
                        scene=scene,
                        location=(1000 * scene + shift, 7),
                    )
        sizes = {f"scale_{axis}": size * 1e-6 for axis, size in spacing.items()}
        file.write_metadata("a", channel_names=dict(enumerate(CHANNELS)), **sizes)
    return path


def planes_of(series):
    """Yield the position along the leading axes and the pixels of each plane."""
    for position in np.ndindex(series.shape[:3]):
        yield position, series[position]


LIF_AXES = {"X": 1, "Y": 2, "Z": 3, "T": 4, "λ": 5, "M": 10}
LIF_LENGTHS = {axis.upper(): size * 1e-6 for axis, size in SPACING.items()} | {"λ": 1e-8}
LIF_CHANNEL = (
    '<ChannelDescription DataType="0" ChannelTag="{tag}" Resolution="16" Unit="" '
    'NameOfMeasuredQuantity="" Min="0" Max="65535" LUTName="{lut}" IsLUTInverted="0" '
    'BytesInc="{step}" BitInc="0"/>'
)
LIF_DIMENSION = (
    '<DimensionDescription DimID="{number}" NumberOfElements="{count}" Origin="5e-7" '
    'Length="{length}" Unit="{unit}" BytesInc="{step}" BitInc="0"/>'
)
LIF_IMAGE = (
    '<Element Name="{name}"><Data><Image><ImageDescription><Channels>{channels}</Channels>'
    "<Dimensions>{dimensions}</Dimensions></ImageDescription></Image></Data>"
    '<Memory Size="{size}" MemoryBlockID="MemBlock_{name}"/></Element>'
)


def write_lif(path, unit="m", **images):
    """Write images by name, each as a pair of its axes, such as TCZYX, and uint16 pixels."""
    elements, blocks = [], []
    for name, (axes, pixels) in images.items():
        pixels = np.ascontiguousarray(pixels)  # its strides are written
        elements.append(describe_lif(name, axes, pixels, unit))
        blocks.append((f"MemBlock_{name}", pixels.astype("<u2").tobytes()))
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="a"><Children>'
        f"{''.join(elements)}</Children></Element></LMSDataContainerHeader>"
    ).encode("utf-16-le")
    content = struct.pack("<iIBI", 0x70, len(xml) + 5, 0x2A, len(xml) // 2) + xml
    for name, data in blocks:
        text = name.encode("utf-16-le")
        head = struct.pack("<BQBI", 0x2A, len(data), 0x2A, len(name)) + text
        content += struct.pack("<iI", 0x70, len(head)) + head + data
    path.write_bytes(content)
    return path


def describe_lif(name, axes, pixels, unit):
    channels = [LIF_CHANNEL.format(tag=0, lut="Gray", step=0)]
    dimensions = []
    for axis, count, step in zip(axes, pixels.shape, pixels.strides, strict=True):
        if axis == "C":
            channels = [
                LIF_CHANNEL.format(tag=0, lut=lut, step=number * step)
                for number, lut in enumerate(CHANNELS[:count])
            ]
            continue
        length = LIF_LENGTHS.get(axis, 1.0) * (count - 1)
        dimensions.append(
            LIF_DIMENSION.format(
                number=LIF_AXES[axis], count=count, length=length, unit=unit, step=step
            )
        )
    return LIF_IMAGE.format(
        name=name,
        channels="".join(channels),
        dimensions="".join(reversed(dimensions)),
        size=pixels.nbytes,
    )


def write_ims(path, series, *, spacing=SPACING, chunks=(2, 8, 8)):
    """Write a series (T, C, Z, Y, X), in arrays padded to complete chunks."""
    import h5py

    with h5py.File(path, "w") as file:
        about = file.create_group("DataSetInfo/Image")
        set_texts(about, Unit="um", NumericalAperture="1.2")
        for number, (axis, count) in enumerate(zip("XYZ", series.shape[:1:-1], strict=True)):
            extent = {f"ExtMin{number}": 3, f"ExtMax{number}": 3 + count * spacing[axis.lower()]}
            set_texts(about, **{axis: count}, **extent)
        for channel, name in enumerate(CHANNELS[: series.shape[1]]):
            set_texts(file.create_group(f"DataSetInfo/Channel {channel}"), Name=name)
        for time, channel in np.ndindex(series.shape[:2]):
            stack = series[time, channel]
            pad = [(0, -n % size) for n, size in zip(stack.shape, chunks, strict=True)]
            file.create_dataset(
                f"DataSet/ResolutionLevel 0/TimePoint {time}/Channel {channel}/Data",
                data=np.pad(stack, pad, constant_values=9),
                chunks=chunks,
                compression="gzip",
            )
    return path


def set_texts(group, **texts):
    """Set attributes as IMS stores them: arrays of single characters."""
    for key, text in texts.items():
        group.attrs[key] = np.array(list(str(text)), "S1")


def write_oif(path, series, order="XYCZT"):
    """Write a series (T, C, Z, Y, X) of uint16 as an OIF file and the folder that belongs to it."""
    times, channels, z, y, x = series.shape
    counts = {"X": x, "Y": y, "C": channels, "Z": z, "T": times}
    folder = path.with_name(f"{path.name}.files")
    folder.mkdir()
    for (time, channel, number), plane in planes_of(series):
        letters = f"C{channel + 1:03}Z{number + 1:03}T{time + 1:03}"
        tifffile.imwrite(folder / f"s_{letters}.tif", plane, metadata=None)
    sections = {
        "ProfileSaveInfo": {"Name": "a", "Version": "1.0"},
        "Axis Parameter Common": {"AxisCount": len(order), "AxisOrder": f'"{order}"'},
        "Reference Image Parameter": {
            "ImageDepth": 2,
            "HeightConvertValue": SPACING["y"],
            "HeightUnit": '"um"',
            "WidthConvertValue": SPACING["x"],
            "WidthUnit": '"um"',
        },
    }
    for number, (axis, count) in enumerate(counts.items()):
        sections[f"Axis {number} Parameters Common"] = {
            "AxisCode": f'"{axis}"',
            "MaxSize": count if count > 1 else 0,
            "Interval": round(-1000 * SPACING["z"]),
            "PixUnit": '"nm"',
        }
    for number, name in enumerate(CHANNELS[:channels], 1):
        sections[f"Channel {number} Parameters"] = {
            "CH Name": f'"CH{number}"',
            "DyeName": f'"{name}"',
        }
    text = "".join(
        f"[{section}]\r\n" + "".join(f"{key}={value}\r\n" for key, value in values.items())
        for section, values in sections.items()
    )
    path.write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))
    return path
