"""What the study claimed, as the page answers it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

VERDICTS = {
    "holds": "{n} hold{s}",
    "does not hold": "{n} do{es} not hold",
    "not decided": "{n} {is_} not decided",
    "cannot be answered": "{n} cannot be answered",
}
"""Every verdict, and how many are counted in words."""


@dataclass(frozen=True)
class Claim:
    """One claim: the author's words, the verdict, and the numbers (or why there are none)."""

    says: str
    verdict: str
    detail: str


def claims(table: pd.DataFrame) -> list[Claim]:
    """From `Results.claims`."""
    rows = zip(table["says"], table["verdict"], table["detail"], strict=True)
    return [Claim(*map(str, row)) for row in rows]


def count(found: list[Claim]) -> str:
    """How many claims hold, and how many do not.

    >>> count([Claim("a", "holds", ""), Claim("b", "holds", ""), Claim("c", "not decided", "")])
    'Of 3 claims 2 hold, 1 is not decided.'
    """
    parts = []
    for verdict, words in VERDICTS.items():
        if n := sum(claim.verdict == verdict for claim in found):
            one = (
                {"s": "s", "es": "es", "is_": "is"} if n == 1 else {"s": "", "es": "", "is_": "are"}
            )
            parts.append(words.format(n=n, **one))
    return f"Of {len(found)} claim{'s' if len(found) > 1 else ''} {', '.join(parts)}."
