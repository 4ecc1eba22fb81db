"""Page data → one self-contained HTML file."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from importlib import resources
from typing import Any

from ..studies._numbers import bracket, number
from ..studies.sweeps import Sweep
from ._attribution import MOST_RANKINGS, Ranking
from ._diagnosis import diagnosis_blocks
from ._embedding_data import embedding_data, embedding_notes, emphasis
from ._pack import data_block, deflated
from .answer import reach, unit_of
from .claims import count
from .collect import CURVE_POINTS, Curve, Page
from .figures import (
    channel_figure,
    held_out_figure,
    loss_figure,
    matrix_figure,
    measure_figure,
    sweep_figure,
)
from .measures import Measure, beyond_chance, ranked
from .sessions import session_blocks
from .trials import trial_blocks

SCRIPTS = (
    *("unpack.js", "widgets.js", "colors.js", "scene.js", "selection.js", "hands.js", "plane.js"),
    *("behaviour.js", "raster.js", "linked.js", "large.js", "gallery.js", "charts.js", "page.js"),
)
"""In the order in which they build on each other."""


def render(page: Page) -> str:
    """The whole page. The same results give the same text."""
    from plotly.offline import get_plotlyjs

    environment = _environment()
    figures: dict[str, Any] = {}
    sweeps = _sweeps(page.sweeps, figures)
    sections, losses = _sections(page, figures), _losses(page.curves, figures)
    channels = _rankings(page.rankings[:MOST_RANKINGS], figures)
    plotly, script = get_plotlyjs(), _scripts()
    html = environment.get_template("page.html").render(
        page=page,
        sections=sections,
        sweeps=sweeps,
        losses=losses,
        channels=channels,
        cleaned=session_blocks(page.cleaned, figures),
        trials=trial_blocks(page.trials, figures),
        diagnosis=diagnosis_blocks(page.diagnosed, figures),
        figures=data_block(figures),
        embeddings=data_block(embedding_data(page.gallery)) if page.gallery.panels else "",
        embedding_notes=embedding_notes(page.gallery),
        emphasis=emphasis(page.gallery),
        settings={name: _json(value) for name, value in page.settings.items()},
        study=_json(page.study),
        manifest=_flat(page.manifest),
        curve_points=CURVE_POINTS,
        reach=reach,
        count=count,
        css=_template("page.css"),
        plotly=deflated(plotly),
        script=script,
        policy=_policy([plotly, script]),
    )
    return html.rstrip() + "\n"


def _scripts() -> str:
    body = "\n".join(_template(name) for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{body}}})();'


def _policy(scripts: list[str]) -> str:
    """Content security policy: these scripts run, and no other; nothing is fetched."""
    digests = [base64.b64encode(sha256(s.encode()).digest()).decode() for s in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _environment() -> Any:
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FunctionLoader(_template), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["verbatim"] = Markup
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    return environment


def _template(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _flat(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """Manifest entries for a definition list; what is nested becomes lines of text."""
    return [(str(key), _lines(value)) for key, value in manifest.items()]


def _lines(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key} {_words(inner)}" for key, inner in value.items())
    return _words(value)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(inner)}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


# -- scores ---------------------------------------------------------------------------------


def _sections(page: Page, figures: dict[str, Any]) -> list[dict[str, Any]]:
    sections = []
    for title, measures in page.measures.items():
        blocks = [_block(m, f"{_slug(title)}-{k}", figures) for k, m in enumerate(measures)]
        sections.append({"title": title, "slug": _slug(title), "blocks": blocks, "matrices": []})
        if title == "Consistency":
            sections[-1]["matrices"] = _matrices(page, figures)
    return sections


def _sweeps(found: list[Sweep], figures: dict[str, Any]) -> list[dict[str, Any]]:
    blocks = []
    for number_, sweep in enumerate(found):
        name = f"sweep-{number_}"
        if len(sweep.table):
            figures[name] = sweep_figure(sweep)
        rows = [
            {
                "line": row["line"],
                "x": f"{row['x']:g}" if isinstance(row["x"], float) else row["x"],
                "mean": number(row["mean"]),
                "interval": bracket((row["low"], row["high"])) if row["low"] == row["low"] else "–",
                "above": f"{row['above']:.0%}" if row["above"] == row["above"] else "",
                "chance": number(row["chance"]) if row["chance"] == row["chance"] else "–",
                "n": row["n"],
                "chosen": row["chosen"],
            }
            for row in sweep.table.to_dict("records")
        ]
        blocks.append({"figure": name, "sweep": sweep, "rows": rows})
    return blocks


def _block(measure: Measure, name: str, figures: dict[str, Any]) -> dict[str, Any]:
    figures[name] = measure_figure(measure)
    several = len(ranked(measure)) > 1 and measure.has_better
    best = ranked(measure)[0].mean if several else None
    rows = [
        {
            "name": line.variant,
            "mean": number(line.mean),
            "interval": bracket(line.interval) or "–",
            "range": f"{number(line.dots['value'].min())} to {number(line.dots['value'].max())}",
            "chance": number(line.chance[0]) if line.chance else "–",
            "ceiling": number(line.ceiling) if line.ceiling is not None else "–",
            "edge": number(line.chance[1]) if line.chance else "–",
            "beyond": {True: "yes", False: "no", None: "–"}[
                beyond_chance(line, measure.higher_is_better)
            ],
            "n": len(line.dots),
            "control": line.control,
            "best": not line.control and line.mean == best,
        }
        for line in measure.lines
    ]
    alt = "; ".join(f"{r['name']} {r['mean']} {r['interval']}, chance {r['chance']}" for r in rows)
    return {
        "figure": name,
        "measure": measure,
        "unit": unit_of(measure),
        "rows": rows,
        "count": "pairs" if measure.between else "runs",
        "alt": f"{measure.title}, {unit_of(measure)}: {alt}",
        "better": _better(measure),
        "ceiling": any(line.ceiling is not None for line in measure.lines),
    }


def _better(measure: Measure) -> str:
    if not measure.has_better:
        return ""
    return "higher is better" if measure.higher_is_better else "lower is better"


def _matrices(page: Page, figures: dict[str, Any]) -> list[dict[str, str]]:
    groups: dict[tuple[str, str], list] = {}
    for matrix in page.matrices:
        groups.setdefault((matrix.between, matrix.label), []).append(matrix)
    blocks = []
    for number_, ((between, label), matrices) in enumerate(groups.items()):
        name = f"matrix-{number_}"
        figures[name] = matrix_figure(matrices)
        what = {"runs": "seeds", "datasets": "recordings"}.get(between, between or "runs")
        of = f", binned by {label}" if label else ""
        alt = "; ".join(f"{m.variant}: mean {number(m.table.stack().mean())}" for m in matrices)
        blocks.append(
            {"figure": name, "title": f"Between {what}{of}", "alt": f"Consistency matrices. {alt}"}
        )
    return blocks


def _losses(curves: list[Curve], figures: dict[str, Any]) -> list[dict[str, str]]:
    blocks = []
    for number_, variant in enumerate(dict.fromkeys(c.variant for c in curves)):
        mine = [c for c in curves if c.variant == variant]
        name = f"loss-{number_}"
        figures[name] = loss_figure(mine)
        last = ", ".join(number(float(c.loss[-1])) for c in mine[:8])
        alt = f"Training loss of {variant}, {len(mine)} runs; last values {last}"
        blocks.append({"figure": name, "title": variant, "alt": alt})
        looked = [c.held_out for c in mine if c.held_out is not None and len(c.held_out)]
        if looked:
            figures[f"held-out-{number_}"] = held_out_figure(mine)
            best = ", ".join(number(float(t["held_out_bits"].max())) for t in looked[:8])
            alt = f"Information on held-out trials of {variant}; highest {best} bits"
            title = f"{variant}: trials held out of the fit"
            blocks.append({"figure": f"held-out-{number_}", "title": title, "alt": alt})
    return blocks


def _rankings(found: list[Ranking], figures: dict[str, Any]) -> list[dict[str, Any]]:
    blocks = []
    for number_, ranking in enumerate(found):
        name = f"channels-{number_}"
        figures[name] = channel_figure(ranking)
        rows = [
            {
                "channel": str(row["channel"]),
                "share": number(row["share"]),
                "chance": number(row["chance_mean"]),
                "edge": number(row["chance"]),
                "beyond": f"{row['beyond']} of {ranking.n_runs}",
            }
            for row in ranking.table.to_dict("records")
        ]
        first = ", ".join(f"{r['channel']} {r['share']}" for r in rows[:5])
        alt = f"Shares of {ranking.label} in {ranking.variant}, largest first: {first}"
        about = {"ranking": ranking, "r2": number(ranking.r2), "readable": ranking.r2 > 0}
        blocks.append({"figure": name, "rows": rows, "alt": alt, **about})
    return blocks


def _slug(title: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in title.lower())
