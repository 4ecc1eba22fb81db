"""A condition made of the columns of the trial table."""

from __future__ import annotations

from dataclasses import replace

from .._query import asked
from ..session import Session


def trial_column(session: Session, name: str, query: str, trials: str = "trials") -> Session:
    """Add a trial column that says where an expression of other columns holds.

    Parameters
    ----------
    session
        With a trial table.
    name
        Of the new column.
    query
        Expression of columns, as pandas reads it: "rewarded_left or rewarded_right",
        "choice == 'left'", "contrast > 0.5".
    trials
        "trials", or the name of another table of intervals.

    Raises
    ------
    DataError
        No such table, or an expression that is none of its columns.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"start": [0.0, 1.0], "stop": [1.0, 2.0], "water": [0.0, 2.7]})
    >>> trial_column(Session(trials=table), "rewarded", "water > 0").trials["rewarded"].tolist()
    [False, True]
    """
    table = session.table(trials)
    values = asked(table, query, "trial")
    made = table.assign(**{name: values})
    step = {"step": "trial_column", "name": name, "query": query, "trials": trials}
    provenance = (*session.provenance, step)
    if trials == "trials" and session.trials is not None:
        return replace(session, trials=made, provenance=provenance)
    return replace(session, intervals={**session.intervals, trials: made}, provenance=provenance)
