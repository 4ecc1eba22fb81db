"""The log of a run: loss of every step, and what the fit saw on its held-out trials."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from isofold.report.collect import Curve
from isofold.report.page import _losses
from isofold.studies.one_run import loss_log


def test_the_log_holds_the_looks_at_held_out_trials():
    looks = pd.DataFrame({"step": [2, 4], "bits": [0.1, 0.3]})
    log = loss_log(SimpleNamespace(loss_=[3.0, 2.0, 1.5, 1.2], validation_=looks))
    assert log["step"].tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(log["held_out_bits"], [np.nan, 0.1, np.nan, 0.3])
    assert list(loss_log(SimpleNamespace(loss_=[3.0]))) == ["step", "loss"]


def test_the_page_draws_them_beside_the_loss():
    looks = pd.DataFrame({"step": [2, 4], "held_out_bits": [0.1, 0.3]})
    step, loss = np.arange(1, 5), np.array([3.0, 2.0, 1.5, 1.2])
    figures: dict = {}
    blocks = _losses(
        [Curve("v", "0", "rat", step, loss, 1, looks), Curve("w", "0", "rat", step, loss, 1)],
        figures,
    )
    assert [b["title"] for b in blocks] == ["v", "v: trials held out of the fit", "w"]
    assert "0.3" in blocks[1]["alt"]
