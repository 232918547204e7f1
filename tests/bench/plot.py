"""Draws a report: medians as bars on a logarithmic scale, memory as lines."""

from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from bench.report import Memory, Report, Row, Whose

INK: Final = "#24292f"
COLOURS: Final = {Whose.OURS: "#1f7a5c", Whose.PEER: "#8a94a3", Whose.FLOOR: "#cfd5dd"}
LINES: Final = ("#1f7a5c", "#b3591a", "#5b6bc0")
BOUND: Final = 60  # MB
STYLE: Final = Path(__file__).with_name("plot.mplstyle")


def draw(report: Report, note: str, path: Path) -> None:
    """Writes report as an image to path, its format by the name's end; note stands below."""
    with mpl.rc_context(fname=STYLE):
        figure = Figure(figsize=(9.6, _height(report)), layout="constrained")
        if report.memory:
            times, memory = figure.subplots(1, 2, width_ratios=(3, 2))
            _lines(memory, report.memory)
        else:
            times = figure.subplots()
        _bars(times, report.rows)
        _whose(figure, report.rows)
        figure.suptitle(report.title, x=0.01, ha="left", fontsize=13, fontweight="bold")
        figure.supxlabel(note, x=0.01, ha="left", fontsize=7.5, color="#57606a")
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _height(report: Report) -> float:
    return max(3.6, 1.5 + 0.27 * len(report.rows))  # inches


def _bars(axes: Axes, rows: list[Row]) -> None:
    places = range(len(rows))
    axes.barh(
        places, [row.p50 for row in rows], height=0.7, color=[COLOURS[row.whose] for row in rows]
    )
    for place, row in zip(places, rows, strict=True):
        axes.plot([row.p50, row.p99], [place, place], color=INK, linewidth=0.8, alpha=0.55)
        axes.annotate(
            _told(row.p50),
            (max(row.p50, row.p99), place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_xscale("log")
    axes.set_xlim(min(row.p50 for row in rows) / 2, max(row.p99 for row in rows) * 4)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(places, [row.label for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlabel("ms, logarithmic: bar to the median, line to the 99th percentile")
    axes.grid(axis="x", linewidth=0.4, alpha=0.5)
    axes.set_axisbelow(True)


def _told(milliseconds: float) -> str:
    decimals = 2 if milliseconds < 10 else 1 if milliseconds < 100 else 0
    return f"{milliseconds:,.{decimals}f} ms"


def _whose(figure: Figure, rows: list[Row]) -> None:
    seen = [whose for whose in Whose if any(row.whose is whose for row in rows)]
    figure.legend(
        handles=[Patch(color=COLOURS[whose], label=whose.value) for whose in seen],
        loc="upper right",
        ncols=len(seen),
        frameon=False,
    )


def _lines(axes: Axes, memory: list[Memory]) -> None:
    for one, colour in zip(memory, LINES, strict=False):
        axes.plot(
            list(one.after), list(one.after.values()), marker="o", ms=3, color=colour, label=one.of
        )
    axes.axhline(BOUND, color=INK, linewidth=0.8, linestyle="--", label=f"wanted: {BOUND} MB")
    axes.set_ylim(0, max(BOUND, *(one.most for one in memory)) * 1.2)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("calls")
    axes.set_ylabel("MB in memory (RSS)")
    axes.grid(linewidth=0.4, alpha=0.5)
    axes.legend(loc="lower right", frameon=False)
