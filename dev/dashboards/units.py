"""Numbers as people read them, by the units that the dashboards use: those of Grafana."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

_SECONDS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"))
_BYTES = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))


def _scaled(value: float, scales: tuple[tuple[float, str], ...]) -> str:
    if value == 0:
        return f"0 {dict(scales)[1.0]}"
    factor, name = next((scale for scale in scales if abs(value) >= scale[0]), scales[-1])
    return f"{value / factor:.3g} {name}"


def _plain(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


TEXT_OF_UNIT: Mapping[str, Callable[[float], str]] = MappingProxyType(
    {
        "none": _plain,
        "s": lambda value: _scaled(value, _SECONDS),
        "bytes": lambda value: _scaled(value, _BYTES),
        "percentunit": lambda value: f"{100 * value:.3g}%",
        "currencyUSD": lambda value: f"${value:.2g}" if abs(value) < 0.01 else f"${value:.2f}",
        "ops": lambda value: f"{value:.3g}/s",
        "reqps": lambda value: f"{value:.3g}/s",
    }
)
"""How to write a number, by unit."""
