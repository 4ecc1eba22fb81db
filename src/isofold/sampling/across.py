"""Positives across trials, for repeated trials of one stimulus or condition.

`AcrossTrialsSampler` beside the settings of TrialCEBRA 0.0.5, whose rules it takes up:

| TrialCEBRA | here |
|---|---|
| conditional="time" | "trial_time" |
| conditional="delta" | "trial_delta" |
| conditional="time_delta" | "trial_time_delta" |
| time_offsets=w | time_window=w |
| delta=d | delta=d/√k for k label columns: the spread of each column, as in "delta_normal" |
| sample_exclude_intrial=True | same_trial=False |
| sample_fix_trial=True | fixed_partner=True, for every rule; there not for "time" |
| sample_prior="balanced" / "uniform" | prior="uniform" / "empirical" |
| trials of equal length only | any lengths and gaps |
| every trial alike | balance="trials"; "samples" weighs a trial by its samples in reach |
| y_discrete | a discrete label; it narrows every rule to the reference's class |

What differs on purpose: trials and samples with equal labels are drawn from at random, where the
first of them was always taken; a reference that no sample answers is not drawn, where the rule was
dropped in silence; with classes, the first and last samples of a trial are no likelier than others;
same_trial=True leaves "trial_delta" its Gaussian, where it became a softmax of the distance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..trials import Ints
from .answers import Answers, Where
from .pool import Pool
from .prior import Draws, Groups, check_choice
from .query import NO_SAMPLE, NO_TRIAL, Query

BALANCES = ("samples", "trials")
ACROSS_TRIALS = ("trial_time", "trial_delta", "trial_time_delta")


class AcrossTrialsSampler:
    """Positive: a sample of another trial, near in time, near in label, or both.

    "trial_time": uniform among the samples of other trials with |place − place_ref| ≤
    `time_window`, where place counts samples from the trial's start.
    "trial_delta": wanted ~ Normal(l_ref, δ² I) around the trial's label l, the mean of its labels;
    the other trial with the nearest label, any of its samples.
    "trial_time_delta": wanted ~ Normal(c_ref, δ² I) around the sample's own label c; the sample
    with the nearest label among those that "trial_time" draws from.
    Where several trials or samples have exactly the nearest label, all take part in the draw.

    With classes, only samples of the reference's class count; a trial's label is then the mean over
    its samples of that class. Trials may differ in length and have gaps: only samples that exist
    are drawn. A reference without any possible positive (past the end of all other trials, or the
    only trial of its class) is never drawn, and is its own positive if asked for; it still serves
    as a negative.

    Parameters
    ----------
    conditional
        One of the three rules.
    time_window
        Samples on either side; "trial_delta" does not use it.
    delta
        Standard deviation in every label column; "trial_time" does not use it.
    same_trial
        Whether the reference's own trial takes part as any other; the positive may then be the
        reference itself.
    balance
        Of positives. "samples": every possible one alike, so that a trial counts by how many it
        has. "trials": every trial that has one alike, then every one of it.
    prior
        Of references and negatives. "empirical": every sample alike; "uniform": every class alike,
        then every sample of it; "trials": every trial alike, then every sample of it.
    fixed_partner
        Each trial (of each class) gets one partner trial, drawn once with the rule from `seed`,
        and finds its positives there only. False draws the trial anew for every pair.
    seed
        Of the partners.

    Raises
    ------
    DataError
        A setting or label is missing or impossible, or no sample has a possible positive.
    """

    def __init__(
        self,
        pool: Pool,
        conditional: str,
        time_window: int = 10,
        delta: float | None = None,
        same_trial: bool = False,
        balance: str = "samples",
        prior: str = "empirical",
        fixed_partner: bool = False,
        seed: int = 0,
    ):
        _check(pool, conditional, time_window, delta, balance)
        everything = np.arange(len(pool.sample))
        self._pool, self._delta, self._same_trial = pool, delta, same_trial
        self._timed = conditional != "trial_delta"
        self._trials = Groups(pool.trial)
        self._classes = Groups(everything * 0 if pool.classes is None else pool.classes)
        self._centre = _centre(pool, conditional, self._trials, self._classes)
        place = pool.place if self._timed else everything * 0
        self._answers = Answers(
            place, self._trials.group, self._classes.group, self._centre, time_window, balance
        )
        self._partner: Ints | None = None
        if fixed_partner:
            self._partner = self._partners(np.random.default_rng(seed))
        self._answered = np.flatnonzero(self.has(self._asks(everything)))
        if not len(self._answered):
            raise DataError(_nothing_found(conditional, time_window, len(self._trials)))
        self._draw_reference = Draws(self._answered, prior, pool.classes, pool.trial)
        self._draw_negative = Draws(everything, prior, pool.classes, pool.trial)

    def wanted(self, rng: np.random.Generator, reference: Ints) -> Query:
        """The class, time and label that each positive should have, and in which trials."""
        query = self._asks(reference)
        if self._centre is None:
            return query
        assert self._delta is not None
        around = self._centre[reference]
        return replace(query, label=around + self._delta * rng.standard_normal(around.shape))

    def has(self, query: Query) -> NDArray[np.bool_]:
        """Where this pool holds a sample that may answer; its label matters not."""
        return self._answers.count(self._looked_up(query)) > 0

    def find(self, rng: np.random.Generator, query: Query) -> Ints:
        """A sample that answers each query; `NO_SAMPLE` where there is none."""
        where = self._looked_up(query)
        shape = where.number.shape
        flat = where.flat()
        label = query.label
        if label is not None:
            label = label.reshape(-1, label.shape[-1])
        return self._answers.draw(rng, flat, label).reshape(shape)

    def all_references(self) -> Ints:
        return self._answered

    def references(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        return self._draw_reference(rng, shape)

    def positives(self, rng: np.random.Generator, reference: Ints) -> Ints:
        found = self.find(rng, self.wanted(rng, reference))
        return np.where(found == NO_SAMPLE, reference, found)

    def negatives(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
        return self._draw_negative(rng, shape)

    def _asks(self, reference: Ints) -> Query:
        """Everything but the label; class 0 where there are no classes."""
        trial = self._pool.trial[reference]
        partner = None if self._partner is None else self._partner[reference]
        return Query(
            number=self._classes.numbers[self._classes.group[reference]],
            place=self._pool.place[reference] if self._timed else None,
            other_than=None if self._same_trial else trial,
            within=partner,
        )

    def _looked_up(self, query: Query) -> Where:
        """Numbers of this pool for the classes and trials of the query."""
        assert query.number is not None
        number = self._classes.find(query.number)
        return Where(
            number=number,
            place=np.zeros_like(number) if query.place is None else query.place,
            other_than=None if query.other_than is None else self._trials.find(query.other_than),
            within=None if query.within is None else self._trials.find(query.within),
        )

    def _partners(self, rng: np.random.Generator) -> Ints:
        """(sample,) partner of its trial (and class): where one free draw from it leads.

        `NO_TRIAL` if none of its samples has a possible positive.
        """
        everything = np.arange(len(self._pool.sample))
        shuffled = rng.permutation(np.flatnonzero(self.has(self._asks(everything))))
        piece = self._trials.group * len(self._classes) + self._classes.group
        asking, at = np.unique(piece[shuffled], return_index=True)
        partner = np.full(int(piece.max()) + 1, NO_TRIAL)
        partner[asking] = self._pool.trial[self.find(rng, self.wanted(rng, shuffled[at]))]
        return partner[piece]


def _centre(
    pool: Pool, conditional: str, trials: Groups, classes: Groups
) -> NDArray[np.float64] | None:
    """(sample, k) label around which the wanted label of each reference is drawn."""
    if conditional == "trial_time":
        return None
    if pool.continuous is None:
        raise DataError(
            f"conditional={conditional!r} looks for trials with a near label; there is no "
            "continuous label: give one or use conditional='trial_time'"
        )
    if conditional == "trial_time_delta":
        return pool.continuous
    # The mean as a difference to the first sample: exact where the label is constant in a trial.
    _, first, piece, size = np.unique(
        trials.group * len(classes) + classes.group,
        return_index=True, return_inverse=True, return_counts=True,
    )  # fmt: skip
    base = pool.continuous[first]
    total = np.zeros_like(base)
    np.add.at(total, piece, pool.continuous - base[piece])
    return (base + total / size[:, None])[piece]


def _check(
    pool: Pool, conditional: str, time_window: int, delta: float | None, balance: str
) -> None:
    check_choice("conditional", conditional, ACROSS_TRIALS)
    check_choice("balance", balance, BALANCES)
    if time_window < 0:
        raise DataError(f"time_window counts samples on either side, 0 or more; got {time_window}")
    if conditional != "trial_time" and not (delta is not None and 0 <= delta < np.inf):
        raise DataError(
            f"conditional={conditional!r} needs delta, the spread of the wanted label around the "
            f"reference's in units of the label; got delta={delta}"
        )


def _nothing_found(conditional: str, time_window: int, n_trials: int) -> str:
    if n_trials < 2:
        return (
            "positives across trials need at least 2 trials; there is 1: give the trials, or use "
            "same_trial=True"
        )
    within = "" if conditional == "trial_delta" else f" within time_window={time_window} samples"
    return (
        f"no sample has a possible positive in another trial{within} and of its class (if there "
        f"are classes); there are {n_trials} trials: use a larger time_window or fewer classes"
    )
