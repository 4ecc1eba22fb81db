"""Names of series, events and tables in a file, and what they were in the session."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Names:
    """Written name → own name, for each kind of thing."""

    series: dict[str, str] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each table, by its written name."""

    def add_series(self, name: str) -> str:
        """The name to write a series under."""
        return _put(self.series, name, {*self.series, *self.events})

    def add_events(self, name: str) -> str:
        """The name to write events under; series and events share one space."""
        return _put(self.events, name, {*self.series, *self.events})

    def add_table(self, name: str) -> str:
        """The name to write a table of intervals under."""
        taken = {*self.tables, "units"}
        if name not in ("epochs", "invalid_times", "trials"):
            taken |= {"epochs", "invalid_times", "trials"}
        written = _put(self.tables, name, taken)
        self.columns[written] = {}
        return written

    def add_column(self, table: str, name: str) -> str:
        """The name to write a column under; start and stop have NWB's own."""
        fixed = {"start": "start_time", "stop": "stop_time"}
        if name in fixed:
            return _put(self.columns[table], name, set(), fixed[name])
        return _put(self.columns[table], name, {*self.columns[table], *TAKEN})


TAKEN = {
    "start_time", "stop_time", "timeseries", "id", "ids", "columns", "colnames", "description",
    "name", "parent", "children", "fields", "data_type", "namespace", "object_id", "modified",
}  # fmt: skip
"""A column of such a name would stand for something else in pynwb."""


def _put(known: dict[str, str], name: str, taken: set[str], wish: str | None = None) -> str:
    written = wish or safe(name)
    while written in taken:
        written += "_"
    known[written] = name
    return written


def safe(name: str) -> str:
    """NWB forbids "/" and ":" in names, and empty ones; a Zarr folder also a leading dot."""
    return name.replace("/", "_").replace(":", "_").replace("\\", "_").lstrip(".") or "unnamed"
