"""MIND step by step as the papers describe it, slow and plain: what the fast code must agree with.

Every Gaussian is an explicit covariance matrix and scipy's density, every scan tries all cuts, and
paths are found node by node. Draws are handed in, so that both grow the same trees.
"""

import heapq
from collections import deque

import numpy as np
from scipy.stats import multivariate_normal


def ppca(y, share, floor):
    """Mean and covariance of the maximum-likelihood PPCA."""
    values, vectors = np.linalg.eigh(np.cov(y.T, bias=True).reshape(y.shape[1], -1))
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    d = len(values)
    q = next(k for k in range(d + 1) if values[:k].sum() > share * values.sum() or k == d)
    q = min(q, max(int(np.sum(values > floor)) - 1, 0))
    noise = max(values[q:].mean(), floor)
    covariance = noise * np.eye(d)
    for k in range(q):
        covariance += (values[k] - noise) * np.outer(vectors[:, k], vectors[:, k])
    return y.mean(axis=0), covariance


def log_density(x, gaussian):
    return np.atleast_1d(multivariate_normal(*gaussian).logpdf(x))


def loss(y, share, floor):
    """Mean negative log-likelihood of the fit."""
    return -log_density(y, ppca(y, share, floor)).mean()


def cut(along, y, min_leaf):
    """How many rows, sorted by `along`, go below: all cuts tried."""
    scored = []
    for k in range(min_leaf, len(y) - min_leaf + 1):
        if along[k - 1] < along[k]:
            below, above = y[:k].sum(axis=0), y[k:].sum(axis=0)
            scored.append((-(below @ below) / k - (above @ above) / (len(y) - k), k))
    return min(scored)[1] if scored else 0


def tree(x, y, normals, between, min_leaf, share, floor):
    """Nodes by number: (normal, threshold, number of the left child) or a leaf's rows."""
    nodes = {}
    waiting, count = deque([(0, np.arange(len(x)))]), 1
    while waiting:
        number, rows = waiting.popleft()
        nodes[number] = rows
        if len(rows) < 2 * min_leaf:
            continue
        best = None
        for normal, u in zip(normals[number], between[number], strict=True):
            along = x[rows] @ normal
            order = np.argsort(along, kind="stable")
            k = cut(along[order], y[rows[order]], min_leaf)
            if k == 0:
                continue
            sides = rows[order[:k]], rows[order[k:]]
            losses = [loss(y[side], share, floor) for side in sides]
            total = sum(len(s) * v for s, v in zip(sides, losses, strict=True)) / len(rows)
            low, high = along[order[k - 1]], along[order[k]]
            if best is None or total < best[0]:
                best = total, normal, low + u * (high - low), sides
        if best is not None and best[0] < loss(y[rows], share, floor):
            nodes[number] = best[1], best[2], count
            waiting.extend([(count, best[3][0]), (count + 1, best[3][1])])
            count += 2
    return nodes


def leaf_of(state, nodes):
    number = 0
    while isinstance(nodes[number], tuple):
        normal, threshold, left = nodes[number]
        number = left + int(state @ normal > threshold)
    return number


def log_densities(x, y, landmarks, draws, min_leaf, share, floor):
    """Median over trees of log N(landmark j; leaf of landmark i)."""
    every = []
    for normals, between in draws:
        nodes = tree(x, y, normals, between, min_leaf, share, floor)
        rows = [nodes[leaf_of(state, nodes)] for state in landmarks]
        every.append([log_density(landmarks, ppca(y[r], share, floor)) for r in rows])
    return np.median(every, axis=0)


def geodesics(log_density):
    """Shortest paths over √−log p, both ways, in units of the largest step."""
    n = len(log_density)
    local = np.zeros((n, n))
    for i in range(n):
        relative = log_density[i] - log_density[i].max()
        for j in range(n):
            local[i, j] = 0 if i == j else np.sqrt(np.log(np.exp(relative).sum()) - relative[j])
    local /= local.max()
    paths = np.array([dijkstra(local, i) for i in range(n)])
    return (paths + paths.T) / 2


def dijkstra(local, source):
    distance = np.full(len(local), np.inf)
    heap = [(0.0, source)]
    while heap:
        d, i = heapq.heappop(heap)
        if d < distance[i]:
            distance[i] = d
            for j in range(len(local)):
                if d + local[i, j] < distance[j]:
                    heapq.heappush(heap, (d + local[i, j], j))
    return distance


def landmarks(points, count, first):
    """Greedy max–min: each next is farthest from the nearest that is chosen."""
    chosen = [first]
    while len(chosen) < count:
        nearest = [min(np.sum((p - points[c]) ** 2) for c in chosen) for p in points]
        chosen.append(int(np.argmax(nearest)))
    return sorted(chosen)
