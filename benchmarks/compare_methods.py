"""Paired differences between the methods of a study: python benchmarks/compare_methods.py RESULTS.

For every pair of methods, the mean difference of a decoding score over held-out trials, with its
95 % interval (Student's t over trials).
"""

from __future__ import annotations

import sys
from itertools import combinations

import isofold as iso
from isofold.report.measures import difference, score_measures
from isofold.report.variants import with_variant


def main(path: str) -> None:
    scores = with_variant(iso.open_results(path).scores)
    for measure in score_measures(scores, sorted(scores["variant"].unique())):
        if measure.score != "decode" or measure.over != "trials":
            continue
        for a, b in combinations(measure.lines, 2):
            gap, interval = difference(a, b)
            low, high = interval or (float("nan"), float("nan"))
            print(
                f"{measure.label}, {measure.unit}: {a.variant} - {b.variant} = {gap:+.3f} "
                f"[{low:+.3f}, {high:+.3f}]"
            )


if __name__ == "__main__":
    main(sys.argv[1])
