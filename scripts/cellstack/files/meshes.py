"""Meshes as glTF and PLY files, for Blender, ParaView and other programs."""

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cellstack import __version__
from cellstack.core.meshes import Mesh
from cellstack.files.atomic import atomic_write

UM_IN_GLTF = 0.01
"""Length of 1 um in a glTF scene, in its unit, the metre: objects are enlarged 10 000 times, as
programs cannot show objects of a few micrometres."""

HALF_TURN_ABOUT_X = (1.0, 0.0, 0.0, 0.0)
"""Quaternion. In glTF y points up and z towards the viewer, in a stack y points down and z away."""

FLOAT, UINT16, UINT32 = 5126, 5123, 5125  # component types of glTF
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
ROUGHNESS = 0.7


class ColoredMesh(NamedTuple):
    """The surface of an object."""

    label: int
    mesh: Mesh
    color: str
    """As #rrggbb."""


def write_glb(path: str | Path, objects: Sequence[ColoredMesh], kind: str, title: str) -> None:
    """Write meshes as a binary glTF 2.0 file.

    Parameters
    ----------
    path : path-like
        Ends in .glb.
    objects : list of ColoredMesh
        Each becomes a node and a mesh with the name ``KIND-LABEL``. Vertices are x, y, z in um
        from the centre of the first voxel; their parent node has the scale
        :data:`UM_IN_GLTF` and a rotation, so that the first plane is seen in front, as an image
        on a screen.
    kind : str
        Kind of the objects, such as "nuclei"; the name of the parent node.
    title : str
        Name of the scene.

    References
    ----------
    .. [1] glTF 2.0 Specification, Khronos Group, 2021; ISO/IEC 12113.
    """
    chunks: list[bytes] = []
    views: list[dict[str, Any]] = []
    accessors: list[dict[str, Any]] = []

    def add(values: np.ndarray, kind: str, component: int, target: int, **limits: Any) -> int:
        data = values.tobytes()
        start = views[-1]["byteOffset"] + views[-1]["byteLength"] if views else 0
        views.append({"buffer": 0, "byteOffset": start, "byteLength": len(data), "target": target})
        # the length is a multiple of four, as the format requires: a closed surface has an even
        # number of triangles
        chunks.append(data)
        view = {"bufferView": len(views) - 1, "componentType": component}
        accessors.append(view | {"count": len(values), "type": kind} | limits)
        return len(accessors) - 1

    colors = list(dict.fromkeys(each.color for each in objects))
    meshes: list[dict[str, Any]] = []
    nodes: list[dict[str, Any]] = []
    for label, mesh, color in objects:
        positions = np.ascontiguousarray(mesh.vertices[:, ::-1], "<f4")
        normals = np.ascontiguousarray(mesh.normals[:, ::-1], "<f4")
        small = len(positions) <= np.iinfo(np.uint16).max
        corners = mesh.faces.astype("<u2" if small else "<u4").ravel()
        limits = {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()}
        attributes = {
            "POSITION": add(positions, "VEC3", FLOAT, ARRAY_BUFFER, **limits),
            "NORMAL": add(normals, "VEC3", FLOAT, ARRAY_BUFFER),
        }
        indices = add(corners, "SCALAR", UINT16 if small else UINT32, ELEMENT_ARRAY_BUFFER)
        surface = {
            "attributes": attributes,
            "indices": indices,
            "material": colors.index(color),
        }
        name = f"{kind}-{label}"
        nodes.append({"name": name, "mesh": len(meshes), "extras": {"label": label}})
        meshes.append({"name": name, "primitives": [surface]})
    top: dict[str, Any] = {
        "name": kind,
        "rotation": HALF_TURN_ABOUT_X,
        "scale": [UM_IN_GLTF] * 3,
        "extras": {"unit": "um", "axes": "x, y, z from the centre of the first voxel"},
    }
    if nodes:  # the format has no empty lists
        top["children"] = list(range(1, len(nodes) + 1))
    content: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": f"cellstack {__version__}"},
        "scene": 0,
        "scenes": [{"name": title, "nodes": [0]}],
        "nodes": [top, *nodes],
    }
    binary = b"".join(chunks)
    if binary:
        content |= {
            "meshes": meshes,
            "materials": [_material(color) for color in colors],
            "accessors": accessors,
            "bufferViews": views,
            "buffers": [{"byteLength": len(binary)}],
        }
    text = json.dumps(content, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    parts = [struct.pack("<I4s", len(text), b"JSON"), text]
    if binary:
        parts += [struct.pack("<I4s", len(binary), b"BIN\0"), binary]
    size = 12 + sum(len(part) for part in parts)
    with atomic_write(path) as partial:
        partial.write_bytes(b"".join([struct.pack("<4sII", b"glTF", 2, size), *parts]))


def _material(color: str) -> dict[str, Any]:
    return {
        "name": color,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*(_linear(part) for part in _rgb(color)), 1.0],
            "metallicFactor": 0.0,
            "roughnessFactor": ROUGHNESS,
        },
    }


def _rgb(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def _linear(value: int) -> float:
    """Return the linear intensity of a value of sRGB from 0 to 255."""
    part = value / 255
    return round(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4, 6)


def write_ply(path: str | Path, objects: Sequence[ColoredMesh]) -> None:
    """Write meshes as one binary PLY file.

    Parameters
    ----------
    path : path-like
        Ends in .ply.
    objects : list of ColoredMesh
        Vertices are x, y, z in um from the centre of the first voxel, with normal, colour and
        label.
    """
    vertex = np.dtype(
        [
            *((name, "<f4") for name in ("x", "y", "z", "nx", "ny", "nz")),
            *((name, "u1") for name in ("red", "green", "blue")),
            ("label", "<i4"),
        ]
    )
    face = np.dtype([("count", "u1"), ("corners", "<i4", 3)])
    vertices, faces, start = [], [], 0
    for label, mesh, color in objects:
        own = np.empty(len(mesh.vertices), vertex)
        for axis, name in enumerate("zyx"):
            own[name], own[f"n{name}"] = mesh.vertices[:, axis], mesh.normals[:, axis]
        own["red"], own["green"], own["blue"] = _rgb(color)
        own["label"] = label
        triangles = np.empty(len(mesh.faces), face)
        triangles["count"], triangles["corners"] = 3, mesh.faces + start
        start += len(own)
        vertices.append(own.tobytes())
        faces.append(triangles.tobytes())
    kinds = {"<f4": "float", "|u1": "uchar", "<i4": "int"}
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment cellstack {__version__}; unit: um",
        f"element vertex {start}",
        *(f"property {kinds[vertex[name].str]} {name}" for name in vertex.names or ()),
        f"element face {sum(len(each.mesh.faces) for each in objects)}",
        "property list uchar int vertex_indices",
        "end_header\n",
    ]
    with atomic_write(path) as partial:
        partial.write_bytes(b"".join(["\n".join(header).encode(), *vertices, *faces]))
