"""The demo's servers: the real programs as child processes, taken down however the demo ends."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pullpass.certificates import certify
from pullpass.demo.settings import Files, draw_addresses
from pullpass.errors import PullpassError, TransportError
from pullpass.http import Offline, Request, run
from pullpass.keys.stores import keys_of
from pullpass.network import Network
from pullpass.transport import HttpTransport

TRIES: Final = 5  # draws of ports, in case somebody else has one of them
READY_WITHIN: Final = 30.0  # seconds
STOPS_WITHIN: Final = 10.0  # seconds between asking a program to end and killing it
_POLL: Final = 0.05  # seconds
_DOCKER_REGISTRY: Final = "docker-registry"


class NotStarted(PullpassError):
    """A program of the demo did not start."""


@contextmanager
def servers(directory: Path) -> Iterator[tuple[Files, str]]:
    """Runs issuer, token server and registry; gives their files and the registry program's name.

    Raises:
        NotStarted: if one of them does not come up.
    """
    with ExitStack() as stack:
        for tries_left in reversed(range(TRIES)):
            files = Files(directory=directory, addresses=draw_addresses())
            _prepare(files)
            try:
                name = _Starter(stack=stack, files=files).start()
            except NotStarted:
                stack.close()
                if not tries_left:
                    raise
            else:
                yield files, name
                return


def _prepare(files: Files) -> None:
    """Writes the settings, and the keys if this is the first try."""
    files.write()
    node, server = files.load(files.node), files.load(files.token_server)
    for config in (node, server):
        keys = keys_of(config)
        for name in config.keys:
            if not (config.state_dir / "keys" / f"{name}.json").exists():
                run(keys.create(name), Offline())
    signing = run(keys_of(server).load("registry-token"), Offline()).active
    files.certificate.write_bytes(certify(signing.local, "pullpass demo"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Program:
    """A child process."""

    name: str
    url: str
    process: subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Starter:
    """Starts programs, to be stopped with the stack."""

    stack: ExitStack
    files: Files

    def start(self) -> str:
        """Starts the three servers, waits for them and returns the registry program's name."""
        ports = self.files.addresses
        ours = [
            self._serve("issuer", self.files.node, ports.issuer_port),
            self._serve("token-server", self.files.token_server, ports.token_port),
        ]
        name, registry = self._registry()
        transport = self.stack.enter_context(HttpTransport(Network(timeout=2.0)))
        for program in (*ours, registry):
            _wait(transport, program)
        return name

    def _serve(self, name: str, config: Path, port: int) -> _Program:
        argv = [sys.executable, "-m", "pullpass", "serve", name]
        environment = self.files.environment(config)
        return self._run(name, f"http://127.0.0.1:{port}/healthz", argv, environment)

    def _registry(self) -> tuple[str, _Program]:
        """Starts the real registry where it is installed, else the embedded one."""
        url = f"http://{self.files.addresses.registry}/v2/"
        environment = self.files.environment(self.files.token_server)
        program = shutil.which(_DOCKER_REGISTRY)
        if program is None:
            port = str(self.files.addresses.registry_port)
            argv = [sys.executable, "-m", "pullpass.registry.embedded", "127.0.0.1", port]
            environment |= {"PULLPASS_EMBEDDED_REGISTRY": self.files.embedded_registry()}
            return "embedded", self._run("registry", url, argv, environment)
        settings = self.files.write_registry()
        argv = [program, "serve", str(settings)]
        return _version(program), self._run("registry", url, argv, environment)

    def _run(
        self, name: str, url: str, argv: Sequence[str], environment: Mapping[str, str]
    ) -> _Program:
        log = self.stack.enter_context((self.files.directory / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for the demo, which then takes this down
        )
        self.stack.callback(_stop, process)
        return _Program(name=name, url=url, process=process)


def _version(program: str) -> str:
    argv = [program, "--version"]
    said = subprocess.run(argv, capture_output=True, check=False, text=True, timeout=10).stdout
    return " ".join([_DOCKER_REGISTRY, *said.split()[-1:]])


def _stop(program: subprocess.Popen[bytes]) -> None:
    program.terminate()
    try:
        program.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait(STOPS_WITHIN)


def _wait(transport: HttpTransport, program: _Program) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and program.process.poll() is None:
        try:
            transport.send(Request(method="GET", url=program.url))
        except TransportError:
            time.sleep(_POLL)
        else:
            return
    raise NotStarted(f"the {program.name} did not start: look at its log with --keep DIRECTORY")
