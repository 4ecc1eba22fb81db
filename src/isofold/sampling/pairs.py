"""Whole batches of one or several recordings: who is compared with whom.

Samplers know one pool. Here their references, positives (of one or several objectives) and
negatives are put together; positives may lie in another recording (pseudo-alignment).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints
from .behavior import ContinuousSampler, DiscreteSampler, MixedSampler
from .pool import LabelSampler, Pool, Sampler
from .query import NO_SAMPLE, NO_TRIAL, Query
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
    one answers with a sample of its own (Schneider, Lee & Mathis, Nature 2023, Methods). A wish
    goes only to recordings that can answer it: that have its class and, across trials, its time in
    the trial. One that comes home keeps to the trials it asked for. Time objectives stay in their
    own recording.
    """

    def __init__(self, samplers: Sequence[Sequence[Sampler]]):
        super().__init__(samplers)
        self._askers: Any = samplers

    def _positives(
        self, rng: np.random.Generator, reference: Sequence[Ints]
    ) -> tuple[list[list[Ints]], Ints]:
        own = np.arange(sum(r.shape[1] for r in reference))
        positives: list[list[Ints]] = [[] for _ in reference]
        partner = []
        for k in range(len(self._samplers[0])):
            mine = [s[k] for s in self._samplers]
            if isinstance(mine[0], TimeSampler):
                found = [s.positives(rng, r) for s, r in zip(mine, reference, strict=True)]
                slot = np.tile(own, (len(reference[0]), 1))
            else:
                found, slot = _dealt(rng, [s[k] for s in self._askers], reference)
            for out, one in zip(positives, found, strict=True):
                out.append(one)
            partner.append(slot)
        return positives, np.stack(partner, axis=1)


class JoinedPairs:
    """All recordings at moments of equal label, as if their channels were recorded together.

    Each reference is a sample of a random recording; every other recording contributes the sample
    of its class with the nearest label. The positive answers the wanted label in each; where a
    recording has no sample at the wanted time, the nearest label counts alone.
    """

    def __init__(self, samplers: Sequence[LabelSampler], pools: Sequence[Pool]):
        _require_all_classes(pools)
        self._samplers, self._pools = samplers, pools
        self._alike = [_by_label(pool) for pool in pools]

    def draw(
        self, rng: np.random.Generator, steps: int, n_reference: int | None, n_negative: int
    ) -> Draw:
        n = n_reference or min(len(s.all_references()) for s in self._samplers)
        here = [s.references(rng, (steps, n)) for s in self._samplers]
        away = [s.negatives(rng, (steps, n_negative)) for s in self._samplers]
        pick = rng.integers(len(here), size=(steps, n))
        reference = self._everywhere(rng, here, pick)
        wish = _picked(_wished(rng, self._samplers, here), pick)
        positive = [self._found(n, rng, wish, home=pick == n) for n in range(len(self._samplers))]
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
            np.where(pick == n, own, alike.find(rng, same))
            for n, (alike, own) in enumerate(zip(self._alike, sample, strict=True))
        ]

    def _found(
        self, n: int, rng: np.random.Generator, wish: Query, home: NDArray[np.bool_]
    ) -> Ints:
        found = _answered(self._samplers[n], rng, wish, home)
        lost = found == NO_SAMPLE
        if lost.any():
            found[lost] = self._alike[n].find(rng, wish[lost])
        return found


def _prior(samplers: Sequence[Sampler]) -> Sampler:
    """References and negatives come from the first objective that looks at labels, if any does."""
    return next((s for s in samplers if not isinstance(s, TimeSampler)), samplers[0])


def _allowed(samplers: Sequence[Sampler]) -> NDArray[np.bool_]:
    """Samples that can be a reference of every objective."""
    references = [s.all_references() for s in samplers]
    allowed = np.bincount(np.concatenate(references)) == len(samplers)
    if not allowed.any():
        raise DataError(
            f"a reference needs a positive of each of the {len(samplers)} objectives; the "
            f"objectives have {[len(r) for r in references]} possible references, none in common: "
            "use a smaller time_offsets, a larger time_window, or train on one objective"
        )
    return allowed


def _references(
    prior: Sampler, allowed: NDArray[np.bool_], rng: np.random.Generator, shape: tuple[int, int]
) -> Ints:
    reference = prior.references(rng, shape)
    while True:
        bad = (reference >= len(allowed)) | ~allowed[np.minimum(reference, len(allowed) - 1)]
        if not bad.any():
            return reference
        reference[bad] = prior.references(rng, (int(bad.sum()),))


def _dealt(
    rng: np.random.Generator, samplers: Sequence[LabelSampler], reference: Sequence[Ints]
) -> tuple[list[Ints], Ints]:
    """Per recording its answers to the wishes dealt to it, and the place of each wish's answer."""
    wish = _joined(_wished(rng, samplers, reference))
    visiting = wish.elsewhere()
    slot = _deal(rng, _same_recordings([s.has(visiting) for s in samplers]))
    at = np.argsort(slot, axis=1)
    found, first = [], 0
    for sampler, mine in zip(samplers, reference, strict=True):
        last = first + mine.shape[1]
        here = at[:, first:last]
        home = (first <= here) & (here < last)
        found.append(_answered(sampler, rng, _taken(wish, here), home))
        first = last
    return found, slot


def _same_recordings(has: Sequence[NDArray[np.bool_]]) -> Ints:
    """One number for all wishes that the same recordings can answer; `has` is one a recording."""
    group = np.zeros(has[0].shape, np.int64)
    for mine in has:
        if not mine.all():
            group = np.unique(2 * group + mine, return_inverse=True)[1].reshape(mine.shape)
    return group


def _deal(rng: np.random.Generator, group: Ints) -> Ints:
    """(step, wish) → place that each wish is dealt to, at random among the places of its group."""
    shuffled = np.argsort(group + rng.random(group.shape), axis=1)
    places = np.argsort(group, axis=1, kind="stable")
    slot = np.empty_like(group)
    np.put_along_axis(slot, shuffled, places, axis=1)
    return slot


def _answered(
    sampler: LabelSampler, rng: np.random.Generator, wish: Query, home: NDArray[np.bool_]
) -> Ints:
    """What the sampler finds; wishes of its own recording (`home`) keep to their trials."""
    found = sampler.find(rng, wish.elsewhere())
    if (wish.other_than is not None or wish.within is not None) and home.any():
        found[home] = sampler.find(rng, wish[home])
    return found


def _by_label(pool: Pool) -> LabelSampler:
    """Finds the sample with the nearest label, of the class if there are classes."""
    if pool.continuous is None:
        return DiscreteSampler(pool)
    nearest: dict[str, Any] = {"conditional": "delta_normal", "time_offset": 1, "delta": 0.0}
    kind = ContinuousSampler if pool.classes is None else MixedSampler
    return kind(pool, **nearest)


def _require_all_classes(pools: Sequence[Pool]) -> None:
    classes = [set(np.unique(p.classes)) for p in pools if p.classes is not None]
    known = set().union(*classes)
    for n, mine in enumerate(classes):
        if mine != known:
            raise DataError(
                "sessions='joined' needs every class in every recording; recording number "
                f"{n} has {len(mine)} of {len(known)}: drop the samples of the others, or use "
                "sessions='separate'"
            )


def _joined(queries: Sequence[Query]) -> Query:
    """(step, entry) queries of several recordings, entries one after the other."""
    names = [f.name for f in fields(Query)]
    columns = {name: [getattr(query, name) for query in queries] for name in names}
    return Query(**{k: None if v[0] is None else np.concatenate(v, 1) for k, v in columns.items()})


def _wished(
    rng: np.random.Generator, samplers: Sequence[LabelSampler], reference: Sequence[Ints]
) -> list[Query]:
    """What each recording's references ask; one that excludes no trial beside others that do
    says so by a number that no trial has."""
    wishes = [s.wanted(rng, r) for s, r in zip(samplers, reference, strict=True)]
    if all(wish.other_than is None for wish in wishes):
        return wishes
    return [
        replace(wish, other_than=np.full(r.shape, NO_TRIAL)) if wish.other_than is None else wish
        for wish, r in zip(wishes, reference, strict=True)
    ]


def _taken(query: Query, at: Ints) -> Query:
    """Entries of a (step, entry) query by number within each step."""
    return query[np.arange(len(at))[:, None], at]


def _picked(queries: Sequence[Query], pick: Ints) -> Query:
    """Entry by entry, the query of the recording that `pick` names."""
    step, entry = np.indices(pick.shape)
    return Query.stack(queries)[pick, step, entry]
