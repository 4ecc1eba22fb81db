"""The watch on trials held out inside a fit: a curve, the best weights, and when to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd


@dataclass
class Watch:
    """What held-out trials said after some of the steps."""

    measure: Callable[[Any], float]
    """What is trained so far → a number, higher is better."""
    patience: int | None
    """Looks without a better one before training stops; None: it never stops early."""
    curve: list[tuple[int, float]] = field(default_factory=list)
    best: Any = None

    def look(self, done: int, trained: Any) -> bool:
        """Note how well it does; True where training should stop."""
        self.curve.append((done, float(self.measure(trained))))
        values = [value for _, value in self.curve]
        if values[-1] == max(values):
            self.best = trained
        since = len(values) - 1 - int(np.argmax(values))
        return self.patience is not None and since >= self.patience

    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.curve, columns=["step", "bits"])


def hook(watch: Watch | None, callback, every: int | None, steps: int):
    """One callback for the user's and the watch, and how often to call it."""
    if watch is None:
        return (None, None) if callback is None else (callback, every)
    look = max(25, steps // 20 // 25 * 25)

    def both(done: int, trained: Any) -> bool:
        if callback is not None and (done == steps or (every and done % every == 0)):
            callback(done, trained)
        return (done % look == 0 or done == steps) and watch.look(done, trained)

    return both, np.gcd(look, every) if callback is not None and every else look
