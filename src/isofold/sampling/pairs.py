"""Whole batches of one or several recordings: who is compared with whom.

Samplers know one pool. Here their references, positives (of one or several objectives) and
negatives are put together; positives may lie in another recording (pseudo-alignment).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..trials import Ints
from .pool import LabelSampler, Pool, Sampler
from .query import NO_SAMPLE, Query
from .time import TimeSampler


class Draw(NamedTuple):
    """Sample numbers of every pool, and where the positives of the references are."""

    drawn: tuple[Ints, ...]
    """Per recording (step, reference ‖ positive of each objective ‖ negative)."""
    partner: Ints
    """(step, objective, reference of all recordings): place of its positive among the positives of
    all recordings; no objectives if every positive lies in its own recording."""


class Pairs(Protocol):
    """Draws the batches of some steps; no references wanted means all of them."""

    def draw(
        self, rng: np.random.Generator, steps: int, n_reference: int | None, n_negative: int
    ) -> Draw: ...


class OwnPairs:
    """Positives in the recording of their reference; each recording has a sampler an objective."""

    def __init__(self, samplers: Sequence[Sequence[Sampler]]):
        self._samplers = samplers
        self._prior = [_prior(mine) for mine in samplers]
        self._allowed = [_allowed(mine) for mine in samplers]

    def draw(
        self, rng: np.random.Generator, steps: int, n_reference: int | None, n_negative: int
    ) -> Draw:
        reference, negative = [], []
        for prior, allowed in zip(self._prior, self._allowed, strict=True):
            if n_reference is None:
                reference.append(np.tile(np.flatnonzero(allowed), (steps, 1)))
                negative.append(rng.permuted(reference[-1], axis=1))
            else:
                reference.append(_references(prior, allowed, rng, (steps, n_reference)))
                negative.append(prior.negatives(rng, (steps, n_negative)))
        positives, partner = self._positives(rng, reference)
        index = tuple(
            np.concatenate([r, *p, n], axis=1)
            for r, p, n in zip(reference, positives, negative, strict=True)
        )
        return Draw(index, partner)

    def _positives(
        self, rng: np.random.Generator, reference: Sequence[Ints]
    ) -> tuple[list[list[Ints]], Ints]:
        """Per recording the positives of each objective, and `Draw.partner`."""
        own = [
            [sampler.positives(rng, mine) for sampler in samplers]
            for samplers, mine in zip(self._samplers, reference, strict=True)
        ]
        return own, np.zeros((len(reference[0]), 0, 0), np.int64)


class DealtPairs(OwnPairs):
    """Pseudo-alignment: what each positive should be like is dealt to the recordings at random.

    Every reference of S recordings says what its positive should be like; a random permutation
    deals these wishes, as many to each recording as it has references, and the recording that got
    one answers with a sample of its own (Schneider, Lee & Mathis, Nature 2023, Methods). Wishes for
    a class go to recordings that have it. Time objectives stay in their own recording.
    """

    def __init__(self, samplers: Sequence[Sequence[Sampler]], views: Sequence[Sequence[Pool]]):
        """`views`: for every objective the pools with its labels."""
        super().__init__(samplers)
        self._askers: Any = samplers
        self._group = [_groups(pools) for pools in views]

    def _positives(
        self, rng: np.random.Generator, reference: Sequence[Ints]
    ) -> tuple[list[list[Ints]], Ints]:
        size = np.array([r.shape[1] for r in reference])
        first = np.cumsum(size) - size
        positives: list[list[Ints]] = [[] for _ in reference]
        partner = []
        for k in range(len(self._samplers[0])):
            mine = [s[k] for s in self._samplers]
            if isinstance(mine[0], TimeSampler):
                for sampler, r, out in zip(mine, reference, positives, strict=True):
                    out.append(sampler.positives(rng, r))
                partner.append(np.tile(np.arange(size.sum()), (len(reference[0]), 1)))
                continue
            askers: list[LabelSampler] = [s[k] for s in self._askers]
            wish = _joined(
                [s.wanted(rng, r).elsewhere() for s, r in zip(askers, reference, strict=True)]
            )
            group = np.zeros((len(reference[0]), size.sum()), np.int64)
            same = self._group[k]
            if same is not None:
                group = same[wish.number]
            slot = _deal(rng, group)
            at = np.argsort(slot, axis=1)
            for n, (asker, out) in enumerate(zip(askers, positives, strict=True)):
                here = at[:, first[n] : first[n] + size[n]]
                out.append(_found(asker, rng, _taken(wish, here)))
            partner.append(slot)
        return positives, np.stack(partner, axis=1)


class JoinedPairs:
    """All recordings at moments of equal label, as if their channels were recorded together.

    Each reference is a sample of a random recording; every other recording contributes the sample
    that answers the reference's label. The positive answers the wanted label in each.
    """

    def __init__(self, samplers: Sequence[LabelSampler], pools: Sequence[Pool]):
        self._samplers, self._pools = samplers, pools

    def draw(
        self, rng: np.random.Generator, steps: int, n_reference: int | None, n_negative: int
    ) -> Draw:
        n = n_reference or min(len(s.all_references()) for s in self._samplers)
        here = [s.references(rng, (steps, n)) for s in self._samplers]
        away = [s.negatives(rng, (steps, n_negative)) for s in self._samplers]
        pick = rng.integers(len(here), size=(steps, n))
        wishes = [s.wanted(rng, r) for s, r in zip(self._samplers, here, strict=True)]
        reference = self._everywhere(rng, here, pick)
        wish = _picked([w.elsewhere() for w in wishes], pick)
        positive = [_found(s, rng, wish) for s in self._samplers]
        negative = self._everywhere(rng, away, rng.integers(len(here), size=away[0].shape))
        index = tuple(
            np.concatenate(parts, axis=1)
            for parts in zip(reference, positive, negative, strict=True)
        )
        return Draw(index, np.zeros((steps, 0, 0), np.int64))

    def _everywhere(
        self, rng: np.random.Generator, sample: Sequence[Ints], pick: Ints
    ) -> list[Ints]:
        """The picked recording's sample, and in the others one with its label."""
        labels = [
            Query(
                None if pool.continuous is None else pool.continuous[s],
                None if pool.classes is None else pool.classes[s],
            )
            for pool, s in zip(self._pools, sample, strict=True)
        ]
        same = _picked(labels, pick)
        return [
            np.where(pick == n, own, _found(sampler, rng, same))
            for n, (sampler, own) in enumerate(zip(self._samplers, sample, strict=True))
        ]


def _prior(samplers: Sequence[Sampler]) -> Sampler:
    """References and negatives come from the first objective that looks at labels, if any does."""
    return next((s for s in samplers if not isinstance(s, TimeSampler)), samplers[0])


def _allowed(samplers: Sequence[Sampler]) -> NDArray[np.bool_]:
    """Samples that can be a reference of every objective."""
    references = [s.all_references() for s in samplers]
    count = np.bincount(np.concatenate(references))
    return count == len(samplers)


def _references(
    prior: Sampler, allowed: NDArray[np.bool_], rng: np.random.Generator, shape: tuple[int, int]
) -> Ints:
    reference = prior.references(rng, shape)
    while True:
        bad = (reference >= len(allowed)) | ~allowed[np.minimum(reference, len(allowed) - 1)]
        if not bad.any():
            return reference
        reference[bad] = prior.references(rng, (int(bad.sum()),))


def _deal(rng: np.random.Generator, group: Ints) -> Ints:
    """(step, wish) → place that each wish is dealt to, at random among the places of its group."""
    shuffled = np.argsort(group + rng.random(group.shape), axis=1)
    places = np.argsort(group, axis=1, kind="stable")
    slot = np.empty_like(group)
    np.put_along_axis(slot, shuffled, places, axis=1)
    return slot


def _groups(pools: Sequence[Pool]) -> Ints | None:
    """(class,) classes that the same recordings have bear one number."""
    classes = [pool.classes for pool in pools if pool.classes is not None]
    if len(classes) < len(pools):
        return None
    has = np.zeros((len(pools), 1 + max(int(c.max()) for c in classes)), np.bool_)
    for n, mine in enumerate(classes):
        has[n, mine] = True
    return np.unique(has, axis=1, return_inverse=True)[1].ravel()


def _found(sampler: LabelSampler, rng: np.random.Generator, query: Query) -> Ints:
    """What the sampler finds; any of its samples where nothing answers."""
    found = sampler.find(rng, query)
    return np.where(found == NO_SAMPLE, sampler.negatives(rng, found.shape), found)


def _joined(queries: Sequence[Query]) -> Query:
    """(step, entry) queries of several recordings, entries one after the other."""
    names = [f.name for f in fields(Query)]
    columns = {name: [getattr(query, name) for query in queries] for name in names}
    return Query(**{k: None if v[0] is None else np.concatenate(v, 1) for k, v in columns.items()})


def _taken(query: Query, at: Ints) -> Query:
    """Entries of a (step, entry) query by number within each step."""
    return query[np.arange(len(at))[:, None], at]


def _picked(queries: Sequence[Query], pick: Ints) -> Query:
    """Entry by entry, the query of the recording that `pick` names."""
    step, entry = np.indices(pick.shape)
    return Query.stack(queries)[pick, step, entry]
