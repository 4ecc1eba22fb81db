"""What was read lately, for everybody: bounded in bytes, the least used goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any


class Cache:
    """Values by key, at most `limit` bytes of them (one value may be larger than that).

    Examples
    --------
    >>> cache = Cache(limit=10)
    >>> [cache.get(k, lambda: (k, 6)) for k in ("a", "b", "b")], len(cache)
    (['a', 'b', 'b'], 1)
    """

    def __init__(self, limit: int):
        self.limit = limit
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], tuple[Any, int]]) -> Any:
        """The value of a key; `make` gives it and its size in bytes where it is not known yet."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
        value, size = make()  # not under the lock: others need not wait
        with self._lock:
            self._values[key] = value, size
            while len(self._values) > 1 and sum(s for _, s in self._values.values()) > self.limit:
                self._values.popitem(last=False)
        return value

    def __len__(self) -> int:
        return len(self._values)
