"""Meshes of objects seen from an oblique direction: projection, shading, outlines."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from cellstack.core import filters
from cellstack.core.meshes import Mesh
from cellstack.core.rasterize import rasterize

Points = NDArray[np.float64]

TURN, TILT = np.radians(25), np.radians(35)  # of the viewer: to the right, and above the horizon
LIGHT = (-0.45, 0.6, -0.66)  # direction to the light: right, up, away from the viewer
AMBIENT, DIFFUSE, SPECULAR, SHININESS = 0.38, 0.62, 0.16, 24
OCCLUSION_SIGMA = 0.02  # of the width of the picture; how far objects darken those behind
OCCLUSION, HAZE = 0.55, 0.35  # largest darkening; share of white in the farthest object
DEEP = 0.2  # of the depth of all objects; from there on, darkening is largest
EDGE_BRIGHTNESS = 0.3  # of the outlines between objects
SAMPLES = 2  # along each side of a pixel
FACES_AT_ONCE = 1 << 18


class View(NamedTuple):
    """A parallel projection of a stack, seen from above the first plane."""

    scale: float
    """Pixels per um."""
    left: float
    top: float
    """Smallest column and row of the projected box of the stack, in um."""

    def project(self, points: Points) -> Points:
        """Return row and column in pixels and depth in um of points in um (z, y, x).

        The first plane is on top and its first row at the back, so that the picture is the image
        tilted backwards; x runs to the right.
        """
        rows, columns, depths = _turn(points)
        return np.stack(
            [(rows - self.top) * self.scale, (columns - self.left) * self.scale, depths], axis=1
        )


def _turn(vectors: Points) -> Points:
    """Return the components of vectors (z, y, x) downwards, to the right and away, as rows."""
    z, y, x = np.asarray(vectors, float).T
    right = np.cos(TURN) * x - np.sin(TURN) * y
    back = -np.sin(TURN) * x - np.cos(TURN) * y
    down = np.cos(TILT) * z - np.sin(TILT) * back
    away = np.sin(TILT) * z + np.cos(TILT) * back
    return np.stack([down, right, away])


def fit_view(corners: Points, width: float, height: float) -> tuple[View, tuple[float, float]]:
    """Return the view that shows a box as large as possible, and its size in pixels.

    Parameters
    ----------
    corners : (8, 3) ndarray
        Corners of the box in um (z, y, x).
    width, height : float
        Available space in pixels.

    Returns
    -------
    view : View
    size : (float, float)
        Width and height of the box.
    """
    rows, columns, _ = _turn(corners)
    across, down = float(np.ptp(columns)), float(np.ptp(rows))
    scale = min(width / across, height / down)
    view = View(scale, float(columns.min()), float(rows.min()))
    return view, (across * scale, down * scale)


def render(
    meshes: Iterable[tuple[Mesh, str]], view: View, size: tuple[float, float]
) -> NDArray[np.uint8]:
    """Draw shaded surfaces.

    Parameters
    ----------
    meshes : iterable of (Mesh, str)
        Surfaces and their colours.
    view : View
    size : (float, float)
        Width and height of the picture in pixels.

    Returns
    -------
    (M, N, 4) ndarray of uint8
        Red, green, blue and opacity. Surfaces are lit from the upper left, darker where others are
        in front of them, paler with their distance from the viewer, and have dark outlines.

    References
    ----------
    .. [1] T. Luft, C. Colditz and O. Deussen, "Image enhancement by unsharp masking the depth
       buffer", ACM Transactions on Graphics 25, 2006: the darkening.
    """
    shape = (max(1, round(size[1])) * SAMPLES, max(1, round(size[0])) * SAMPLES)
    depth = np.full(shape, np.inf)
    owner = np.zeros(shape, np.int32)
    normals = np.zeros((*shape, 3), np.float32)
    colors = [(0.0, 0.0, 0.0)]
    batch: list[Mesh] = []
    for mesh, color in meshes:
        colors.append(to_rgb(color))
        batch.append(mesh)
        if sum(len(each.faces) for each in batch) >= FACES_AT_ONCE:
            _draw(batch, len(colors) - len(batch), view, depth, owner, normals)
            batch = []
    if batch:
        _draw(batch, len(colors) - len(batch), view, depth, owner, normals)
    seen = owner > 0
    if not seen.any():
        return np.zeros((shape[0] // SAMPLES, shape[1] // SAMPLES, 4), np.uint8)
    shaded = np.array(colors, np.float32)[owner]
    shaded *= _light(normals)
    shaded += SPECULAR * _highlight(normals)
    low, high = depth[seen].min(), depth[seen].max()
    # 0 at the nearest point, 1 at the farthest one and where there is nothing
    distance = np.where(seen, (depth - low) / max(high - low, 1e-9), 1).astype(np.float32)
    shaded *= _shadow(distance)
    shaded += (1 - shaded) * (HAZE * distance[..., None])
    shaded *= np.where(_edges(owner), EDGE_BRIGHTNESS, 1)[..., None]
    picture = np.concatenate([np.clip(shaded, 0, 1), np.ones((*shape, 1), np.float32)], axis=2)
    picture[~seen] = 0  # colours are weighted by the opacity until samples are averaged
    blocks = picture.reshape(shape[0] // SAMPLES, SAMPLES, shape[1] // SAMPLES, SAMPLES, 4)
    mean = blocks.mean(axis=(1, 3))
    mean[..., :3] /= np.maximum(mean[..., 3:], 1e-6)
    result: NDArray[np.uint8] = np.round(255 * mean).astype(np.uint8)
    return result


def _draw(
    meshes: list[Mesh],
    first: int,
    view: View,
    depth: NDArray[np.float64],
    owner: NDArray[np.int32],
    normals: NDArray[np.float32],
) -> None:
    """Draw meshes, numbered from `first`, where they are nearer than what is in the buffers."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = np.concatenate([mesh.faces + at for mesh, at in zip(meshes, starts, strict=False)])
    numbers = np.repeat(np.arange(len(meshes)), [len(mesh.faces) for mesh in meshes]) + first
    points = view.project(np.concatenate([mesh.vertices for mesh in meshes]))
    points[:, :2] = points[:, :2] * SAMPLES + (SAMPLES - 1) / 2
    directions = _turn(np.concatenate([mesh.normals for mesh in meshes]))
    pixels, found, weights = rasterize(points, faces, depth.shape)
    corners = faces[found]
    new = (points[corners, 2] * weights).sum(axis=1)
    nearer = new < depth.ravel()[pixels]
    pixels, corners, weights = pixels[nearer], corners[nearer], weights[nearer]
    depth.ravel()[pixels] = new[nearer]
    owner.ravel()[pixels] = numbers[found[nearer]]
    for axis in range(3):
        values = (directions[axis][corners] * weights).sum(axis=1)
        normals.reshape(-1, 3)[pixels, axis] = values


def _light(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the brightness of a matt surface."""
    down, right, away = np.moveaxis(normals, -1, 0)
    cosine = LIGHT[0] * right - LIGHT[1] * down + LIGHT[2] * away
    # half Lambert: surfaces in the shade keep their shape
    brightness: NDArray[np.float32] = AMBIENT + DIFFUSE * ((1 + cosine) / 2) ** 1.5
    return brightness[..., None]


def _highlight(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the brightness of the reflection of the light."""
    down, right, away = np.moveaxis(normals, -1, 0)
    middle = np.array([LIGHT[0], LIGHT[1], LIGHT[2] - 1])  # between light and viewer
    middle /= np.linalg.norm(middle)
    cosine = middle[0] * right - middle[1] * down + middle[2] * away
    brightness: NDArray[np.float32] = np.clip(cosine, 0, 1) ** SHININESS
    return brightness[..., None]


def _shadow(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the brightness of points behind nearer ones beside them."""
    sigma = OCCLUSION_SIGMA * distance.shape[1]
    smooth = filters.gaussian(distance[None], (1, 1, 1), sigma_um=sigma)[0]
    behind = np.clip(distance - smooth, 0, 1)
    brightness: NDArray[np.float32] = 1 - OCCLUSION * np.clip(behind / DEEP, 0, 1)
    return brightness[..., None]


def _edges(owner: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return the pixels that have another object, or nothing, to the right or below."""
    edges = np.zeros(owner.shape, bool)
    edges[:-1] |= owner[:-1] != owner[1:]
    edges[:, :-1] |= owner[:, :-1] != owner[:, 1:]
    edges[1:] |= owner[:-1] != owner[1:]
    edges[:, 1:] |= owner[:, :-1] != owner[:, 1:]
    return edges
