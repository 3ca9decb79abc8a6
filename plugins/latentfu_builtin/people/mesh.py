"""Meshes: Catmull-Clark smoothing with a cached topology, normals, tubes and grids."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

Array = np.ndarray[Any, np.dtype[Any]]


def _split_quads(faces: list[list[int]]) -> Array:
    triangles = [f[:3] for f in faces] + [[f[0], f[2], f[3]] for f in faces if len(f) == 4]
    return np.array(triangles, np.int32)


def _matrix(entries: list[tuple[int, int, float]], rows: int, columns: int) -> Any:
    row, column, value = zip(*entries, strict=True) if entries else ((), (), ())
    return sparse.csr_matrix((value, (row, column)), (rows, columns), dtype=np.float32)


class SmoothMesh:
    """Catmull-Clark subdivision (1978) of some faces of a larger mesh, as one sparse matrix.

    Args:
        faces: Polygons of vertex numbers of the larger mesh.
        levels: How many times to subdivide.
    """

    def __init__(self, faces: list[list[int]], levels: int = 1) -> None:
        self.used = np.array(sorted({i for face in faces for i in face}))
        place = {int(old): new for new, old in enumerate(self.used)}
        local = [[place[i] for i in face] for face in faces]
        self._matrix: Any = sparse.identity(len(self.used), dtype=np.float32, format="csr")
        for _ in range(levels):
            step, local = _subdivide(local, self._matrix.shape[0])
            self._matrix = (step @ self._matrix).tocsr()
        self.triangles = _split_quads(local)
        count, corners = self._matrix.shape[0], len(self.triangles)
        self._gather = sparse.csr_matrix(
            (
                np.ones(3 * corners, np.float32),
                (self.triangles.T.reshape(-1), np.tile(np.arange(corners), 3)),
            ),
            (count, corners),
        )
        edges = np.concatenate([self.triangles[:, [0, 1]], self.triangles[:, [1, 2]]])
        ones = np.ones(2 * len(edges), np.float32)
        both = np.concatenate([edges, edges[:, ::-1]])
        ring = sparse.csr_matrix((ones, (both[:, 0], both[:, 1])), (count, count))
        degree = np.maximum(np.asarray(ring.sum(1)).ravel(), 1)
        self._ring = sparse.diags(1 / degree).astype(np.float32) @ ring

    def __call__(self, values: Array) -> Array:
        """Values of the larger mesh's vertices ``[V, C]`` on the smooth mesh ``[v, C]``."""
        return np.asarray(self._matrix @ values[self.used].astype(np.float32))

    def normals(self, points: Array) -> Array:
        """Unit normals ``[v, 3]`` of points ``[v, 3]``."""
        a, b, c = (points[self.triangles[:, k]] for k in range(3))
        n = np.asarray(self._gather @ np.cross(b - a, c - a))
        return np.asarray(n / (np.linalg.norm(n, axis=1, keepdims=True) + 1e-12))

    def spread(self, values: Array, times: int) -> Array:
        """Values averaged over neighbors, ``times`` times."""
        for _ in range(times):
            values = 0.5 * values + 0.5 * np.asarray(self._ring @ values)
        return values

    def occlusion(self, points: Array, normals: Array) -> Array:
        """How open each point lies, 0.2 (a crease) to 1: from the curvature at two sizes."""
        shade = np.zeros(len(points), np.float32)
        smooth = points
        for times, strength in ((2, 220.0), (8, 90.0)):
            smooth = self.spread(points, times)
            shade += strength * np.clip(((smooth - points) * normals).sum(1), 0, 1)
        return np.asarray(np.clip(1 - self.spread(shade, 1), 0.2, 1))


def _subdivide(faces: list[list[int]], count: int) -> tuple[Any, list[list[int]]]:
    """One step: the matrix from old points to new ones, and the new faces (quads)."""
    edges: dict[tuple[int, int], list[int]] = {}
    for k, face in enumerate(faces):
        for a, b in zip(face, face[1:] + face[:1], strict=True):
            edges.setdefault((min(a, b), max(a, b)), []).append(k)
    number = {edge: k for k, edge in enumerate(edges)}
    by_face = [(k, i, 1 / len(f)) for k, f in enumerate(faces) for i in f]
    face_points = _matrix(by_face, len(faces), count)
    inner = {e for e, sides in edges.items() if len(sides) == 2}
    ends = [(k, i, 0.25 if e in inner else 0.5) for e, k in number.items() for i in e]
    sides = [(number[e], f, 0.25) for e in inner for f in edges[e]]
    edge_points = _matrix(ends, len(edges), count) + (
        _matrix(sides, len(edges), len(faces)) @ face_points
    )
    around: list[list[int]] = [[] for _ in range(count)]
    rim: list[list[int]] = [[] for _ in range(count)]
    near: list[list[int]] = [[] for _ in range(count)]
    for k, face in enumerate(faces):
        for i in face:
            around[i].append(k)
    for (a, b), touching in edges.items():
        near[a].append(b)
        near[b].append(a)
        if len(touching) == 1:
            rim[a].append(b)
            rim[b].append(a)
    own: list[tuple[int, int, float]] = []
    from_faces: list[tuple[int, int, float]] = []
    for i in range(count):
        n = len(around[i])
        if rim[i] or n < 3:
            own += [(i, i, 0.75)] + [(i, j, 0.125) for j in (rim[i] + [i, i])[:2]]
            continue
        own += [(i, i, (n - 3) / n + 1 / n)] + [(i, j, 1 / n / n) for j in near[i]]
        from_faces += [(i, f, 1 / n / n) for f in around[i]]
    points = _matrix(own, count, count) + _matrix(from_faces, count, len(faces)) @ face_points
    first = count + len(edges)
    quads = [
        [
            face[k],
            count + number[tuple(sorted((face[k], face[(k + 1) % len(face)])))],  # type: ignore[index]
            first + f,
            count + number[tuple(sorted((face[k], face[k - 1])))],  # type: ignore[index]
        ]
        for f, face in enumerate(faces)
        for k in range(len(face))
    ]
    return sparse.vstack([points, edge_points, face_points]).tocsr(), quads


def make_tube(path: Array, radius: float, closed: bool, sides: int = 8) -> tuple[Array, ...]:
    """A tube round a path ``[K, 3]``: points, normals, triangles."""
    after = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        after[0], after[-1] = path[1] - path[0], path[-1] - path[-2]
    tangent = after / (np.linalg.norm(after, axis=1, keepdims=True) + 1e-12)
    up = np.where(np.abs(tangent[:, 1:2]) > 0.9, [[0, 0, 1.0]], [[0, 1.0, 0]])
    u = np.cross(tangent, up)
    u /= np.linalg.norm(u, axis=1, keepdims=True) + 1e-12
    w = np.cross(tangent, u)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)[None, :, None]
    normals = (u[:, None] * np.cos(angle) + w[:, None] * np.sin(angle)).reshape(-1, 3)
    points = np.repeat(path, sides, 0) + normals * radius
    return points, normals, grid_triangles(len(path), sides, closed, True)


def grid_triangles(rows: int, columns: int, wrap_rows: bool, wrap_columns: bool) -> Array:
    """Triangles ``[T, 3]`` of a grid of points, joined at the ends where asked."""
    r = np.arange(rows if wrap_rows else rows - 1)[:, None]
    c = np.arange(columns if wrap_columns else columns - 1)[None]
    r2, c2 = (r + 1) % rows, (c + 1) % columns
    a, b, d, e = r * columns + c, r * columns + c2, r2 * columns + c, r2 * columns + c2
    return np.stack([a, b, d, b, e, d], -1).reshape(-1, 3).astype(np.int32)
