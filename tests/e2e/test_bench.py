"""The benches run, and tell what they measured; how long it took is nobody's business here."""

import sys
from pathlib import Path

import pytest

from fakes.programs import environment, finished

WITHIN = 600.0  # seconds; the quickest of the shim still has 256 pulls at once
BENCH = Path(__file__).parents[1] / "bench"
OURS = {
    "helper": ["launcher, agent", "python3 -IS, agent", "docker-credential-ecr-login get"],
    "agent": ["the exchange alone", "get, an exchange each", "agent: memory (RSS)"],
    "shim": [
        "ImageStatus: pullpass-cri, 256 at once",
        "warm PullImage: containerd",
        "64 slow pulls",
    ],
    "issuer": ["50 mints with ES256", "50 JWKS", "a mint / a bare signature"],
}


@pytest.mark.parametrize("bench", OURS)
def test_a_bench_prints_a_table_and_draws_it(bench: str, tmp_path: Path) -> None:
    argv = [sys.executable, str(BENCH), bench, "--quick", "--plots", str(tmp_path)]
    done = finished(argv, env=environment(), seconds=WITHIN)
    assert done.returncode == 0, done.stderr
    assert [row for row in OURS[bench] if row not in done.stdout] == []
    assert "| figure | measured | at most |" in done.stdout
    plot = (tmp_path / f"{bench}.svg").read_text()
    assert [row for row in OURS[bench][:1] if row not in plot] == []
