"""Numbers as sentences say them."""

from __future__ import annotations


def number(value: float) -> str:
    """Three significant digits, a real minus sign.

    >>> number(0.12345), number(-3.0), number(1234.5)
    ('0.123', '−3', '1230')
    """
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}".replace("-", "−")
    if abs(value) >= 1000:
        return f"{round(value, 2 - len(str(int(abs(value)))) + 1):.0f}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def bracket(interval: tuple[float, float] | None) -> str:
    """[low, high], or ""."""
    return "" if interval is None else f"[{number(interval[0])}, {number(interval[1])}]"
