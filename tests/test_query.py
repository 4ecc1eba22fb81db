"""What a query may say of a table, and that it can do nothing else."""

import numpy as np
import pandas as pd
import pytest

from isofold import Session
from isofold._query import asked
from isofold.errors import DataError
from isofold.preprocess import trial_column

TABLE = pd.DataFrame({"area": ["CA1", "CA3", "CA1"], "rate": [1.0, 5.0, 9.0], "is good": [1, 0, 1]})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("area == 'CA1'", [True, False, True]),
        ("area == 'CA1' and rate > 2", [False, False, True]),
        ("(area == 'CA3') | (rate >= 9)", [False, True, True]),
        ("not (rate < 5)", [False, True, True]),
        ("~(rate < 5)", [False, True, True]),
        ("area in ['CA3', 'DG']", [False, True, False]),
        ("`is good` == 1", [True, False, True]),
        ("rate * 2 - 1 > 9", [False, False, True]),
        ("-rate > -5", [True, False, False]),
    ],
)
def test_comparisons(query, expected):
    assert asked(TABLE, query, "unit").tolist() == expected


HOSTILE = [
    "rate.to_csv('{path}')",
    "rate.to_pickle('{path}') == 1",
    "area.str.upper() == 'CA1'",
    "__import__('os').system('touch {path}')",
    "open('{path}', 'w')",
    "@rate > 1",
    "rate[0] > 1",
    "(lambda: 1)() == 1",
    "[x for x in rate]",
    "rate > 1; rate < 2",
    "x = 1",
    "rate > 9 ** 9 ** 9",
    "`rate`.to_csv('{path}')",
    "",
]


@pytest.mark.parametrize("query", HOSTILE)
def test_anything_else_is_refused_and_does_nothing(query, tmp_path):
    path = tmp_path / "made"
    query = query.format(path=path)
    with pytest.raises(DataError, match="query"):
        asked(TABLE, query, "unit")
    session = Session(units={0: np.array([0.1]), 1: np.array([0.2])})
    with pytest.raises(DataError, match="query"):
        session.restrict(units=query)
    trials = pd.DataFrame({"start": [0.0], "stop": [1.0], "rate": [1.0], "area": ["a"]})
    with pytest.raises(DataError, match="query"):
        trial_column(Session(trials=trials), "new", query)
    assert not path.exists()


def test_a_number_is_no_choice():
    session = Session(units={0: np.array([0.1]), 1: np.array([0.2])})
    with pytest.raises(DataError, match="says yes or no of each unit"):
        session.restrict(units="rate * 2")
