"""Tables of results on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from ..studies import DryRun, Results


def console() -> Console:
    """Standard output; a fixed width where it is no terminal, so that tables are not cut."""
    out = Console(highlight=False)
    return out if out.is_terminal else Console(highlight=False, width=160)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; numbers to the right."""
    rows = [[text(v) for v in row] for row in rows]
    shown = Table(box=None, pad_edge=False)
    for number, name in enumerate(columns):
        is_number = all(row[number][:1] in "0123456789-–" for row in rows)
        right = bool(rows) and is_number
        shown.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*row)
    return shown


def text(value: Any) -> str:
    """Numbers to four digits, lists joined, nothing for None.

    >>> text(0.123456), text(["a", "b"]), text(None)
    ('0.1235', 'a, b', '')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(text(v) for v in value)
    return str(value)


def show_results(results: Results, out: Console) -> None:
    """Scores by method, failures, and where the page is."""
    summary = score_summary(results)
    if len(summary):
        out.print("held-out scores, mean over runs; in brackets the 95th percentile of chance")
        out.print(table(list(summary.columns), summary.to_numpy().tolist()))
    failed = results.runs[results.runs["status"] == "error"]
    for error, runs in failed.groupby("error", sort=False):
        first = runs.iloc[0]
        which = f"{first['recording']}, {first['method']}, seed {first['seed']}"
        more = f" and {len(runs) - 1} more" if len(runs) > 1 else ""
        out.print(f"failed: {which}{more}: {error}")
    out.print(f"{len(results.runs) - len(failed)} runs done, {len(failed)} failed")
    out.print(f"report: {results.page}")


def show_plan(plan: DryRun, out: Console) -> None:
    """The runs of a study, and about how long they take."""
    out.print(table(list(plan.runs.columns), plan.runs.to_numpy().tolist()))
    out.print(f"{plan.total} runs, {plan.total - plan.left} done, {plan.left} left")
    if plan.error:
        out.print(f"the first fails ({plan.timed}): {plan.error}")
    elif plan.timed:
        out.print(
            f"about {duration(plan.estimate)} with {plan.workers} processes, were each as long as "
            f"the first, {duration(plan.seconds)} ({plan.timed}); methods differ, and the first "
            "also compiles"
        )


def duration(seconds: float) -> str:
    """A time as one says it.

    >>> duration(0.42), duration(75), duration(5400), duration(3 * 86400)
    ('0.42 s', '75 s', '90 min', '72 h')
    """
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def score_summary(results: Results) -> pd.DataFrame:
    """One row a recording and method, one column a score."""
    import pandas as pd

    scores, pairs = results.scores, results.pairs
    scores = scores[scores["part"] == "all"].assign(between="")
    pairs = pairs.assign(decoder="")
    parts = [part for part in (scores, pairs) if len(part)]
    if not parts:
        return pd.DataFrame()
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["control"] == "none"]
    rows["what"] = [_what(row) for row in rows.to_dict("records")]
    keys = ["recording", "method", "what"]
    # an error is no better than its mean over chance draws; it has no percentile
    rows["chance"] = rows["chance_hi"].fillna(rows["chance_mean"])
    means = rows.groupby(keys, sort=False)[["value", "chance"]].mean()
    shown = [
        f"{v:.3g}" + (f" ({c:.2g})" if c == c else "")
        for v, c in means.itertuples(index=False, name=None)
    ]
    wide = pd.Series(shown, means.index).unstack("what", sort=False)
    wide = wide.fillna("").reset_index()
    return wide if wide["recording"].nunique() > 1 else wide.drop(columns="recording")


def _what(row: Mapping[Any, Any]) -> str:
    if row["score"] == "decode":
        return f"{row['label']}, {row['unit']}"
    if row["score"] == "consistency":
        return f"consistency of {row['between']}"
    return f"{row['score'].replace('_', ' ')}, {row['unit']}"
