"""The issuer: minting beside the bare signature, and the JWKS beside the bare server.

A mint is all of it, in one thread: role, template, a look at the key's file, signature and a line
in the audit's file. It and the signature take time of the processor, so that others on the machine
do not count. The server is ``pullpass serve issuer``, one process with one worker, asked over
loopback by h2load, by the clock; the floor is the same server around an application that sends as
many bytes. Each time is that of many, so the rows are large and the figures of one.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from bench.report import Figure, Report, Row, Whose, in_turns
from fakes.programs import answers, environment, finished, free_port, running
from pullpass.config.load import load
from pullpass.http import run
from pullpass.issuer.audit import audit_of
from pullpass.issuer.mint import Minter
from pullpass.issuer.role import MintRequest
from pullpass.keys.stores import keys_of
from pullpass.network import Network
from pullpass.transport import HttpTransport

CONNECTIONS: Final = 32
WITHIN: Final = 60  # seconds for one run of h2load
AUDIENCE: Final = "registry.example.com"
SETTINGS: Final = """
state_dir = "{state}"
[keys.identity]
[serve.issuer]
listen = "127.0.0.1:{port}"
[issuers.nodes]
issuer = "http://127.0.0.1:{port}/t/6f1c/jwt/nodes"
insecure = true
signing_key = "identity"
[issuers.nodes.roles.pull]
allowed_audiences = ["{audience}"]
subject_template = "node:${{node}}"
"""
_FINISHED: Final = re.compile(r"finished in ([\d.]+)(us|ms|s),")
_UNIT: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3}  # milliseconds


def measured(rounds: int, many: int) -> Report:
    """Returns the times of so many rounds, in each of which everything is done many times."""
    mints, jwks = f"{many} mints with ES256", f"{many} JWKS"
    signatures, floor = f"{many} bare ES256 signatures", f"{many} answers of the bare server"
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        config = _settings(directory)
        mint, sign = stack.enter_context(_minting(config)), _signing()
        published = stack.enter_context(_issuer(config, directory))
        bare = stack.enter_context(_bare(directory))
        took = in_turns(
            {
                mints: lambda: [_timed(mint, many)],
                signatures: lambda: [_timed(sign, many)],
                jwks: lambda: [_asked(published, many)],
                floor: lambda: [_asked(bare, many)],
            },
            rounds,
        )
    rows = {
        what: Row(
            what=what, whose=Whose.FLOOR if what in (signatures, floor) else Whose.OURS, took=times
        )
        for what, times in took.items()
    }
    return Report(
        title="The issuer",
        rows=list(rows.values()),
        figures=_figures(rows[mints].p50, rows[signatures].p50, rows[jwks].p50, many),
    )


def _figures(mints: float, signatures: float, jwks: float, many: int) -> list[Figure]:
    return [
        Figure(what="a mint", value=mints * 1000 / many, most=200, unit=" µs"),
        Figure(what="a mint / a bare signature", value=mints / signatures, most=4, unit=""),
        Figure(what="a JWKS", value=jwks * 1000 / many, most=50, unit=" µs"),
    ]


def _settings(directory: Path) -> Path:
    config = directory / "config.toml"
    config.write_text(
        SETTINGS.format(state=directory / "state", port=free_port(), audience=AUDIENCE)
    )
    done = finished(["pullpass", "key", "create", "identity"], env=_environment(config))
    if done.returncode:
        raise RuntimeError(done.stderr)
    return config


@contextmanager
def _minting(file: Path) -> Iterator[Callable[[], object]]:
    """Gives what mints one token."""
    config = load(_environment(file))
    minter = Minter(issuers=config.issuers, keys=keys_of(config), audit=audit_of(config))
    request = MintRequest(audiences=(AUDIENCE,), facts={"node": "node-17"})
    with HttpTransport(Network()) as transport:
        yield lambda: run(minter.mint("nodes", "pull", request), transport)


def _signing() -> Callable[[], object]:
    """Returns what signs as much as a token is, and does nothing else."""
    key, algorithm, data = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(SHA256()), b"x" * 400
    return lambda: key.sign(data, algorithm)


@contextmanager
def _issuer(config: Path, directory: Path) -> Iterator[str]:
    (issuer,) = load(_environment(config)).issuers.values()
    port = urlsplit(issuer.issuer).port or 0
    env, log = _environment(config), directory / "issuer.log"
    with running(["pullpass", "serve", "issuer"], log=log, env=env) as server:
        server.until(lambda: answers(port, "/readyz"))
        yield f"{issuer.issuer}/jwks"


@contextmanager
def _bare(directory: Path) -> Iterator[str]:
    port = free_port()
    argv = [sys.executable, str(Path(__file__).with_name("bare_server.py")), str(port)]
    with running(argv, log=directory / "bare.log") as server:
        server.until(lambda: answers(port))
        yield f"http://127.0.0.1:{port}/"


def _environment(config: Path) -> dict[str, str]:
    return environment(PULLPASS_CONFIG=str(config))


def _timed(once: Callable[[], object], many: int) -> float:
    """Returns the milliseconds of the processor for doing it many times."""
    began = time.process_time()
    for _ in range(many):
        once()
    return (time.process_time() - began) * 1000


def _asked(url: str, many: int) -> float:
    """Returns the milliseconds of so many GET. Raises: RuntimeError if one fails."""
    done = subprocess.run(
        ["h2load", "--h1", f"--requests={many}", f"--clients={min(CONNECTIONS, many)}", url],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        text=True,
        timeout=WITHIN,
    )
    told = _FINISHED.search(done.stdout)
    if told is None or f"status codes: {many} 2xx" not in done.stdout:
        raise RuntimeError(f"{url}: not all of {many} were answered:\n{done.stdout}")
    return float(told[1]) * _UNIT[told[2]]
