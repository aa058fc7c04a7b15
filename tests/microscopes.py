"""Small files in the formats of microscopes, for the tests of readers."""

import json
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


TIFF_TYPES = {1: "B", 3: "H", 4: "I", 5: "I"}  # format of a value by the code of its type


class TiffWriter:
    """A classic TIFF with any tags, which is written in pieces."""

    def __init__(self):
        self.content = bytearray(struct.pack("<2sHI", b"II", 42, 0))
        self.link = 4  # where the offset of the next page is

    def put(self, data):
        """Append data, and return where they are."""
        start = len(self.content)
        self.content += data + bytes(-len(data) % 4)
        return start

    def put_page(self, tags):
        """Append a page: for each code of a tag its type, and its values or the bytes of them."""
        entries = b""
        for code, (kind, values) in sorted(tags.items()):
            data = values
            if not isinstance(values, bytes):
                data = struct.pack(f"<{len(values)}{TIFF_TYPES[kind]}", *values)
            count = len(data) // {1: 1, 3: 2, 4: 4, 5: 8}[kind]
            if code == UIC2:
                count = len(data) // UIC2_BYTES
            if code == UIC1:
                count = len(data) // UIC1_BYTES
            stored = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack("<I", self.put(data))
            entries += struct.pack("<HHI", code, kind, count) + stored
        start = self.put(struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0))
        struct.pack_into("<I", self.content, self.link, start)
        self.link = start + 2 + len(entries)


UIC1, UIC1_BYTES = 33628, 8  # tags of STK, which count pairs of numbers and planes
UIC2, UIC2_BYTES = 33629, 24


def write_stk(path, stack, unit="um", calibrated=1, distances=None):
    """Write a stack of uint16 as MetaMorph does: one page, with the planes after each other."""

    def fraction(value):
        return struct.pack("<II", round(1000 * value), 1000)

    tiff = TiffWriter()
    start = tiff.put(stack.tobytes())
    places = {
        3: calibrated,
        4: tiff.put(fraction(SPACING["x"])),
        5: tiff.put(fraction(SPACING["y"])),
        6: tiff.put(struct.pack("<I", len(unit) + 1) + unit.encode() + b"\0"),
    }
    planes = b""
    for z, distance in enumerate(distances or [SPACING["z"]] * len(stack)):
        planes += fraction(distance) + struct.pack("<4I", 2450000, 100 * z, 2450000, 0)
    height, width = stack.shape[1:]
    tiff.put_page(
        {
            256: (4, [width]),
            257: (4, [height]),
            258: (3, [16]),
            259: (3, [1]),
            262: (3, [1]),
            273: (4, [start]),
            277: (3, [1]),
            278: (4, [height]),
            279: (4, [stack[0].nbytes]),
            UIC1: (4, b"".join(struct.pack("<II", *pair) for pair in places.items())),
            UIC2: (5, planes),
        }
    )
    path.write_bytes(tiff.content)
    return path


LSM_SCANS = {"ZCYX": 0, "CZX": 1, "TCYX": 3, "TZCYX": 6}
THUMBNAIL = 16  # pixels along each side


def write_lsm(path, series, positions=0, tiles=0, scan="TZCYX", height_is_z=False):
    """Write a series (T, C, Z, Y, X) of uint16 as Zeiss does: a thumbnail after each page.

    If there are positions or tiles, the time points are taken as these.
    """
    times, channels, depth, height, width = series.shape
    tiff = TiffWriter()
    info = np.zeros(1, [(name or "rest", kind) for name, kind in tifffile.TIFF.CZ_LSMINFO])
    names = b"".join(
        struct.pack("<I", len(name) + 1) + name.encode() + b"\0" for name in CHANNELS[:channels]
    )
    start = 24 + 4 * channels
    colors = struct.pack("<6I", start + len(names), channels, channels, 24, start, 0)
    values = {
        "MagicNumber": 67127628,
        "StructureSize": info.itemsize,
        "DimensionX": width,
        "DimensionY": height,
        "DimensionZ": height if height_is_z else depth,
        "DimensionChannels": channels,
        "DimensionTime": 1 if positions or tiles else times,
        "DimensionP": positions,
        "DimensionM": tiles,
        "ScanType": LSM_SCANS[scan],
        "OffsetChannelColors": tiff.put(colors + bytes(4 * channels) + names),
        **{f"VoxelSize{axis.upper()}": 1e-6 * size for axis, size in SPACING.items()},
    }
    for name, value in values.items():
        info[name] = value
    for number, (time, z) in enumerate(np.ndindex(times, depth)):
        starts = [tiff.put(plane.tobytes()) for plane in series[time, :, z]]
        bits = [16] * channels
        if channels == 2:  # LSM stores their place, as if there were more
            bits = struct.pack("<I", tiff.put(struct.pack("<HH", *bits)))
        page = {
            254: (4, [0]),
            256: (4, [width]),
            257: (4, [height]),
            258: (3, bits),
            259: (3, [1]),
            262: (3, [1]),
            273: (4, starts),
            277: (3, [channels]),
            279: (4, [2 * height * width] * channels),
            284: (3, [2]),
        }
        tiff.put_page(page | ({34412: (1, info.tobytes())} if number == 0 else {}))
        side = THUMBNAIL
        start = tiff.put(bytes(3 * side * side))
        small = {256: (4, [side]), 257: (4, [side]), 258: (3, [8] * 3), 262: (3, [2])}
        strips = {273: (4, [start]), 279: (4, [3 * side * side]), 284: (3, [1])}
        tiff.put_page(page | {254: (4, [1]), 277: (3, [3])} | small | strips)
    path.write_bytes(tiff.content)
    return path


def write_metaseries(path, plane, **values):
    """Write a plane as MetaXpress does, with values by name of a property."""
    kinds = {str: "string", float: "float", int: "int", bool: "bool"}
    text = "".join(
        f'<prop id="{key.replace("_", "-")}" type="{kinds[type(value)]}" '
        f'value="{"on" if value is True else "off" if value is False else value}"/>'
        for key, value in values.items()
    )
    tifffile.imwrite(
        path,
        plane,
        description=f"<MetaData><PlaneInfo>{text}</PlaneInfo></MetaData>",
        software="MetaSeries",
        metadata=None,
    )
    return path


OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def write_ome_set(folder, stack, spacing=None, companion="a.companion.ome"):
    """Write the planes of a stack of uint16 as files that refer to metadata in another file.

    Return the path of the first file.
    """
    names = [f"a_z{z}.ome.tif" for z in range(len(stack))]
    blocks = "".join(
        f'<TiffData FirstZ="{z}" IFD="0" PlaneCount="1"><UUID FileName="{name}">urn:uuid:{z}'
        "</UUID></TiffData>"
        for z, name in enumerate(names)
    )
    sizes = "".join(
        f' PhysicalSize{axis.upper()}="{size}" PhysicalSize{axis.upper()}Unit="µm"'
        for axis, size in (spacing or {}).items()
    )
    root = f'<OME xmlns="{OME}" UUID="urn:uuid:{{}}">{{}}</OME>'
    z, y, x = stack.shape
    image = (
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
        f'SizeX="{x}" SizeY="{y}" SizeZ="{z}" SizeC="1" SizeT="1"{sizes}>'
        f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{blocks}</Pixels></Image>'
    )
    (folder / companion).write_text(root.format("c", image), encoding="utf-8")
    pointer = f'<BinaryOnly MetadataFile="{companion}" UUID="urn:uuid:c"/>'
    for number, (name, plane) in enumerate(zip(names, stack, strict=True)):
        tifffile.imwrite(
            folder / name, plane, description=root.format(number, pointer), metadata=None
        )
    return folder / names[0]


MM_TAGS = 13  # of each page, so that tifffile finds its pixels without reading it
MM_HEADS = {"index": 54773648, "summary": 2355492, "map": 3453623}
CM = 1e4  # um


def write_micromanager(path, planes, index, *, description="", **summary):
    """Write uint16 planes (N, Y, X) as a file of Micro-Manager.

    `index` has the channel, plane, time point and position of each; `summary` is that of the whole
    acquisition. The resolution is per cm, as Micro-Manager writes it.
    """
    text = json.dumps({"MicroManagerVersion": "1.4", "Frames": 1, **summary}).encode()
    content = bytearray(40) + text + b" " * (len(text) % 2)
    offsets = []
    for number, plane in enumerate(planes):
        offsets.append(len(content))
        pixels = plane.astype("<u2").tobytes()
        data = len(content) + 2 + 12 * MM_TAGS + 4
        resolution = data + len(pixels)
        texts = b"{}\0\0" + (description or "ImageJ=1.5\nunit=um\nspacing=1\n").encode() + b"\0"
        after = resolution + 16 + len(texts) + len(texts) % 2
        tags = [
            (256, 4, 1, plane.shape[1]),
            (257, 4, 1, plane.shape[0]),
            (258, 3, 1, 16),
            (259, 3, 1, 1),
            (262, 3, 1, 1),
            (270, 2, len(texts) - 4, resolution + 20),
            (273, 4, 1, data),
            (278, 4, 1, plane.shape[0]),
            (279, 4, 1, len(pixels)),
            (282, 5, 1, resolution),
            (283, 5, 1, resolution + 8),
            (296, 3, 1, 3),
            (51123, 2, 4, resolution + 16),
        ]
        content += struct.pack("<H", MM_TAGS) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        content += struct.pack("<I", after if number < len(planes) - 1 else 0) + pixels
        for axis in "xy":
            content += struct.pack("<II", round(CM / SPACING[axis]), 1)
        content += texts
        content += bytes(after - len(content))
    content[:8] = struct.pack("<2sHI", b"II", 42, offsets[0])
    content[8:16] = struct.pack("<II", MM_HEADS["index"], len(content))
    content[32:40] = struct.pack("<II", MM_HEADS["summary"], len(text))
    content += struct.pack("<II", MM_HEADS["map"], len(planes))
    for position, offset in zip(index, offsets, strict=True):
        content += struct.pack("<5I", *position, offset)
    path.write_bytes(content)
    return path
