"""Measures pullpass beside its peers: ``python tests/bench [helper|agent|shim|issuer] [--quick]``.

Prints a table for each, in Markdown, and writes a plot. The shim needs root, containerd,
docker-registry and skopeo, shim and issuer need h2load (Debian's nghttp2-client).
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import agent, helper, issuer, shim
from bench.plot import draw
from bench.report import Report, machine

PLOTS: Final = Path(__file__).parent / "plots"
# How many rounds, and calls over which memory is watched: thoroughly, and just to see that it runs.
BENCHES: Final[Mapping[str, tuple[Callable[[], Report], Callable[[], Report]]]] = {
    "helper": (lambda: helper.measured(rounds=300), lambda: helper.measured(rounds=2)),
    "agent": (
        lambda: agent.measured(rounds=2000, calls=100_000),
        lambda: agent.measured(rounds=3, calls=20),
    ),
    "shim": (
        lambda: shim.measured(rounds=20, each=300, calls=100_000),
        lambda: shim.measured(rounds=2, each=5, calls=100),
    ),
    "issuer": (
        lambda: issuer.measured(rounds=30, many=2000),
        lambda: issuer.measured(rounds=2, many=50),
    ),
}


def main() -> None:
    """Runs the benches that the arguments name."""
    arguments = argparse.ArgumentParser(prog="python tests/bench", description=__doc__)
    names = [*BENCHES, []]  # Python 3.11 holds the empty list against them where none is named
    arguments.add_argument("bench", nargs="*", choices=names, help="default: all")
    arguments.add_argument("--quick", action="store_true", help="only see whether it runs")
    arguments.add_argument("--plots", type=Path, default=PLOTS, help="folder for the plots")
    arguments.add_argument("--png", action="store_true", help="plots as PNG instead of SVG")
    chosen = arguments.parse_args()
    chosen.plots.mkdir(parents=True, exist_ok=True)
    for name in chosen.bench or BENCHES:
        note = machine()
        with redirect_stdout(sys.stderr):  # what the programs said
            report = BENCHES[name][chosen.quick]()
        draw(report, note, chosen.plots / f"{name}.{'png' if chosen.png else 'svg'}")
        print(f"{report.table()}\n{note}\n", flush=True)


if __name__ == "__main__":
    main()
