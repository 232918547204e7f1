"""Helper, agent and shim reach an exchange by the same rules."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Final

import pytest
import trustme
from grpc.aio import AioRpcError

from fakes.agent import Exchange, agent_settings, started
from fakes.cri import Runtime, connected
from fakes.cri.runtime import listening
from fakes.endpoint import answering
from fakes.helper import NOT_FOUND, Node, node, registry, run_helper
from fakes.programs import environment, finished, running, short_directory
from fakes.proxy import Asked, certified, proxying
from pullpass.errors import ConfigError
from pullpass.network import TIMEOUT

REGISTRY: Final = "reg.example"
NAMED: Final = "https://exchange.example"  # which the proxy alone can find
TARGET: Final = "exchange.example:443"
USERNAME: Final = "puller"
HERE: Final = "0.0.0.0"  # reaches this machine, and is no loopback address

Asks = Callable[..., str]


def helper(host: Node, **variables: str) -> str:
    """Returns what Docker's helper says, be it a credential or why there is none."""
    env = environment(PULLPASS_CONFIG=str(host.config), **variables)
    return run_helper("get", stdin=REGISTRY.encode(), env=env).stdout


def agent(host: Node, **variables: str) -> str:
    """Returns what the agent answers to the same question."""
    agent_settings(host)
    with started(host, **variables) as resident:
        return resident.get(REGISTRY).body.decode()


def shim(host: Node, **variables: str) -> str:
    """Returns what the runtime is given for a pull, or what the kubelet is told."""
    sockets = {name: host.directory / f"{name}.sock" for name in ("listen", "status", "backend")}
    lines = "".join(f'{name} = "{path}"\n' for name, path in sockets.items())
    host.config.write_text(f'{host.config.read_text()}[cri]\ncredentials = "in-process"\n{lines}')
    return asyncio.run(pulled(host, environment(PULLPASS_CONFIG=str(host.config), **variables)))


async def pulled(host: Node, env: dict[str, str]) -> str:
    runtime, place = Runtime(), host.directory
    async with listening(runtime, place / "backend.sock"):
        with running(["pullpass-cri"], log=place / "shim.log", env=env) as process:
            process.until(lambda: '"listening"' in process.printed())
            async with connected(place / "listen.sock") as client:
                try:
                    await client.pull(f"{REGISTRY}/team/app:v1", timeout=20)
                except AioRpcError as error:
                    return str(error.details())
    return str(runtime.pulls[0].auth)


@pytest.fixture(params=[helper, agent, shim])
def ask(request: pytest.FixtureRequest) -> Asks:
    """Each program in turn."""
    chosen: Asks = request.param
    return chosen


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder whose sockets have short paths."""
    with short_directory() as made:
        yield made


@pytest.fixture
def exchange(authority: trustme.CA) -> Iterator[str]:
    """The port of an exchange that speaks TLS, for its name and for its address."""
    made = Exchange()
    made.open.set()
    with answering(made.send, certified(authority, "exchange.example", HERE)) as origin:
        yield origin.rpartition(":")[2]


def settings(place: Path, exchange: str, *http: str) -> Node:
    """Makes a node whose registry is exchanged for at exchange, with these lines of ``[http]``."""
    lines = [f'exchange = "{exchange}"', 'parameters = { provider_name = "strongbox" }']
    made = node(place, registry(REGISTRY, *lines, provider="jfrog"))
    made.config.write_text("\n".join([made.config.read_text(), "[http]", *http, ""]))
    return made


@contextmanager
def proxied(exchange: str, wants: str = "") -> Iterator[Asked]:
    with proxying(Asked(routes={TARGET: int(exchange)}, wants=wants)) as asked:
        yield asked


def test_the_settings_name_proxy_and_authority(
    ask: Asks, place: Path, exchange: str, ca: Path
) -> None:
    with proxied(exchange) as asked:
        host = settings(place, NAMED, f'proxy = "{asked.origin}"', f'ca_bundle = "{ca}"')
        assert USERNAME in ask(host)
    assert asked.seen == [TARGET]


def test_the_environment_names_them(ask: Asks, place: Path, exchange: str, ca: Path) -> None:
    with proxied(exchange, wants="me:hunter2") as asked:
        proxy = asked.origin.replace("://", "://me:hunter2@")
        said = ask(settings(place, NAMED), HTTPS_PROXY=proxy, SSL_CERT_FILE=str(ca))
    assert USERNAME in said
    assert asked.seen == [TARGET]


def test_a_proxys_password_is_in_no_error(ask: Asks, place: Path, exchange: str) -> None:
    with proxied(exchange, wants="me:other") as asked:
        proxy = asked.origin.replace("://", "://me:hunter2@")
        said = ask(settings(place, NAMED), ALL_PROXY=proxy)
    assert f"through the proxy {asked.origin}, which asks for a user name and password" in said
    assert "hunter2" not in said


def test_an_unknown_authority_is_told_with_the_setting_that_names_it(
    ask: Asks, place: Path, exchange: str
) -> None:
    said = ask(settings(place, f"https://{HERE}:{exchange}"))
    assert "name its authority in http.ca_bundle or SSL_CERT_FILE" in said


@pytest.mark.parametrize("no_proxy", ["", f"elsewhere.example,{HERE}/8"])
def test_what_no_proxy_covers_is_reached_directly(
    ask: Asks, place: Path, exchange: str, ca: Path, no_proxy: str
) -> None:
    with proxied(exchange) as asked:
        host = settings(place, f"https://{HERE}:{exchange}", f'ca_bundle = "{ca}"')
        said = ask(host, https_proxy=asked.origin, no_proxy=no_proxy)
    assert (USERNAME in said) is bool(no_proxy)
    assert set(asked.seen) == (set() if no_proxy else {f"{HERE}:{exchange}"})


def test_nobody_waits_longer_than_the_settings_say(ask: Asks, place: Path) -> None:
    began = monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        said = ask(settings(place, NAMED, f'proxy = "{proxy}"', 'timeout = "1s"'))
    assert f"no answer in time through the proxy {proxy}; " in said
    assert monotonic() - began < TIMEOUT


def test_a_wrong_proxy_never_hides_that_a_registry_is_foreign(place: Path) -> None:
    env = environment(PULLPASS_CONFIG=str(settings(place, NAMED).config), ALL_PROXY="socks5://a")
    assert run_helper("get", stdin=b"foreign.example", env=env).stdout == NOT_FOUND
    assert "ALL_PROXY: takes a proxy such as" in run_helper("get", stdin=b"reg.example", env=env)[1]


def test_an_agent_says_that_it_reaches_others_as_it_did_before_a_reload(place: Path) -> None:
    host = settings(place, NAMED)
    agent_settings(host)
    with started(host) as resident:
        host.config.write_text(host.config.read_text().replace("[http]", '[http]\ntimeout = "1s"'))
        resident.process.popen.send_signal(signal.SIGHUP)
        resident.until(lambda: resident.records("reload"))
    assert resident.records("reload")[0]["restart_for"] == "http"


@pytest.mark.parametrize("program", [["pullpass", "agent"], ["pullpass", "serve", "token-server"]])
def test_a_server_does_not_start_with_authorities_that_it_cannot_read(
    place: Path, program: list[str]
) -> None:
    host = settings(place, NAMED, 'ca_bundle = "/nowhere/ca.pem"')
    agent_settings(host)
    done = finished(program, env=host.environment())
    assert done.returncode == ConfigError.exit_status
    assert done.stderr.strip().endswith(
        "http.ca_bundle: /nowhere/ca.pem cannot be read: No such file or directory"
    )
