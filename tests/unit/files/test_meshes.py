"""Meshes read back by another program."""

import json
import struct

import numpy as np
import pytest
import trimesh
from matplotlib.colors import to_rgb

from cellstack.core.meshes import surface_mesh
from cellstack.files.meshes import UM_IN_GLTF, ColoredMesh, write_glb, write_ply

SPACING = (2.0, 0.5, 0.4)
COLORS = {3: "#e69f00", 8: "#56b4e9"}


@pytest.fixture(scope="module")
def objects():
    """Two L-shaped objects, which differ from their mirror images."""
    found = []
    for label, start in ((3, (2, 5, 8)), (8, (6, 40, 30))):
        mask = np.zeros((4, 16, 24), bool)
        mask[:4, :6, :6] = mask[:2, :16, :6] = mask[:2, :6, :24] = True
        found.append(ColoredMesh(label, surface_mesh(mask, SPACING, start), COLORS[label]))
    return found


def test_glb_has_a_node_per_object_in_um(objects, tmp_path):
    write_glb(tmp_path / "a.glb", objects, "nuclei", "colony")
    scene = trimesh.load(tmp_path / "a.glb")
    assert {f"nuclei-{label}" for label in COLORS} < set(scene.graph.nodes)
    for label, mesh, color in objects:
        transform, name = scene.graph[f"nuclei-{label}"]
        read = scene.geometry[name]
        np.testing.assert_array_equal(read.vertices, mesh.vertices[:, ::-1])
        np.testing.assert_array_equal(read.faces, mesh.faces)
        assert read.is_watertight and read.is_winding_consistent
        assert read.volume == pytest.approx(mesh.volume_um3, rel=1e-5)  # positive: outwards
        np.testing.assert_allclose(read.vertex_normals, mesh.normals[:, ::-1], atol=1e-6)
        # the image on a screen: x to the right, rows downwards, the first plane in front
        expected = np.diag([UM_IN_GLTF, -UM_IN_GLTF, -UM_IN_GLTF, 1])
        np.testing.assert_allclose(transform, expected, atol=1e-9)
        assert np.linalg.det(transform) > 0  # not mirrored
        linear = np.array(read.visual.material.baseColorFactor[:3]) / 255
        srgb = np.where(linear > 0.0031, 1.055 * linear ** (1 / 2.4) - 0.055, linear * 12.92)
        assert srgb == pytest.approx(to_rgb(color), abs=0.03)


def test_glb_keeps_the_rules_of_the_format(objects, tmp_path):
    write_glb(tmp_path / "a.glb", objects, "nuclei", "colony")
    content = (tmp_path / "a.glb").read_bytes()
    magic, version, size = struct.unpack_from("<4sII", content)
    assert (magic, version, size) == (b"glTF", 2, len(content))
    length, kind = struct.unpack_from("<I4s", content, 12)
    assert kind == b"JSON" and length % 4 == 0
    scene = json.loads(content[20 : 20 + length])
    binary_length, kind = struct.unpack_from("<I4s", content, 20 + length)
    assert kind == b"BIN\0" and binary_length % 4 == 0
    assert scene["buffers"] == [{"byteLength": binary_length}]
    assert all(view["byteOffset"] % 4 == 0 for view in scene["bufferViews"])
    ends = [view["byteOffset"] + view["byteLength"] for view in scene["bufferViews"]]
    assert max(ends) <= binary_length
    for mesh in scene["meshes"]:
        (surface,) = mesh["primitives"]
        positions = scene["accessors"][surface["attributes"]["POSITION"]]
        assert len(positions["min"]) == len(positions["max"]) == 3
    assert scene["nodes"][1]["extras"] == {"label": 3}
    assert scene["nodes"][0]["extras"]["unit"] == "um"


def test_glb_of_a_large_object_has_wider_indices(tmp_path):
    mask = np.ones((30, 300, 300), bool)
    mesh = surface_mesh(mask, (1.0, 0.1, 0.1))
    many = mesh._replace(vertices=np.tile(mesh.vertices, (70_000 // len(mesh.vertices) + 1, 1)))
    write_glb(tmp_path / "a.glb", [ColoredMesh(1, many, "#ffffff")], "nuclei", "s")
    (read,) = trimesh.load(tmp_path / "a.glb", process=False).geometry.values()
    np.testing.assert_array_equal(read.faces, mesh.faces)


def test_ply_has_all_objects_in_um(objects, tmp_path):
    write_ply(tmp_path / "a.ply", objects)
    read = trimesh.load(tmp_path / "a.ply", process=False)
    vertices = np.concatenate([mesh.vertices[:, ::-1] for _, mesh, _ in objects])
    np.testing.assert_array_equal(read.vertices, vertices)
    assert read.is_watertight
    volume = sum(mesh.volume_um3 for _, mesh, _ in objects)
    assert read.volume == pytest.approx(volume, rel=1e-5)
    data = read.metadata["_ply_raw"]["vertex"]["data"]
    count = len(objects[0].mesh.vertices)
    assert np.unique(data["label"][:count]) == [3] and np.unique(data["label"][count:]) == [8]
    colors = read.visual.vertex_colors[[0, count], :3] / 255
    assert colors == pytest.approx(np.array([to_rgb(color) for color in COLORS.values()]), abs=0.01)
    assert b"unit: um" in (tmp_path / "a.ply").read_bytes()[:200]


def test_no_objects(tmp_path):
    write_glb(tmp_path / "a.glb", [], "nuclei", "empty")
    write_ply(tmp_path / "a.ply", [])
    assert len(trimesh.load(tmp_path / "a.glb").geometry) == 0
    content = (tmp_path / "a.glb").read_bytes()
    scene = json.loads(content[20:])
    assert "meshes" not in scene and [node["name"] for node in scene["nodes"]] == ["nuclei"]
    assert (tmp_path / "a.ply").read_bytes().endswith(b"end_header\n")
