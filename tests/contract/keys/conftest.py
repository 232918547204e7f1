"""Every store of transit keys, real ones where there are any."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import pytest

from fakes.key_files import key_settings
from fakes.key_stores import MemoryKeyStore, MemoryTexts
from fakes.programs import OpenBao, openbao
from pullpass.config.issuing import OpenBao as Settings
from pullpass.http import Flow, Transport, run
from pullpass.keys.file import FileKeyStore
from pullpass.keys.keyring import KeyringKeyStore
from pullpass.keys.openbao import OpenBaoKeyStore
from pullpass.keys.source import Keys
from pullpass.keys.store import FRESH, KeyStore
from pullpass.secret import Secret
from pullpass.transport import HttpTransport

T = TypeVar("T")

POLICY: Final = """
path "transit/keys/*" { capabilities = ["read", "create", "update"] }
path "transit/sign/*" { capabilities = ["update"] }
path "secret/data/pullpass/transit/*" { capabilities = ["read", "create", "update"] }
"""


@dataclass(slots=True)
class Shared:
    """A place where keys rest, and the processes that share it.

    Attributes:
        opened: gives the store of one more process, for a key of that name.
        later: lets pass whatever time a process may go without a look.
    """

    opened: Callable[[str], KeyStore]
    transport: Transport
    remote: bool = False
    seconds: float = 0.0

    def keys(self, name: str = "k", type_: str = "ecdsa-p256") -> Keys:
        """Returns what one more process has of the key name."""
        settings = key_settings(name, type_)
        return Keys(settings={name: settings}, stores={name: self.opened(name)})

    def later(self) -> None:
        """Lets so much time pass that every process looks again."""
        self.seconds += FRESH

    def monotonic(self) -> float:
        return self.seconds

    def run(self, flow: Flow[T]) -> T:
        """Returns what flow returns."""
        return run(flow, self.transport)


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with openbao(tmp_path_factory.mktemp("openbao")) as server:
        server.ask("POST", "sys/mounts/transit", {"type": "transit"})
        server.ask("PUT", "sys/policies/acl/pullpass", {"policy": POLICY})
        yield server


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    with HttpTransport() as transport:
        yield transport


def bao_settings(bao: OpenBao, directory: Path, name: str) -> Settings:
    """Returns settings by which a process without any other right signs with the key name."""
    token = bao.ask("POST", "auth/token/create", {"policies": ["pullpass"]})["auth"]["client_token"]
    file = directory / "token"
    file.write_text(f"{token}\n")
    return Settings(
        address=bao.origin,
        transit="transit",
        state="secret",
        key=name,
        namespace="",
        token_file=file,
    )


@pytest.fixture(params=["memory", "file", "encrypted file", "keyring", "openbao"])
def shared(request: pytest.FixtureRequest, tmp_path: Path, transport: HttpTransport) -> Shared:
    made = Shared(opened=lambda _: MemoryKeyStore(), transport=transport)
    match request.param:
        case "memory":
            store = MemoryKeyStore()
            made.opened = lambda _: store
        case "file":
            made.opened = lambda _: FileKeyStore(directory=tmp_path / "keys")
        case "encrypted file":
            phrase = Secret(secrets.token_urlsafe(24))
            made.opened = lambda _: FileKeyStore(
                directory=tmp_path / "keys", passphrase=lambda: phrase
            )
        case "keyring":
            texts = MemoryTexts()
            made.opened = lambda _: KeyringKeyStore(
                texts=texts, directory=tmp_path / "keys", monotonic=made.monotonic
            )
        case "openbao":
            bao: OpenBao = request.getfixturevalue("bao")
            unique = secrets.token_hex(4)  # the server outlives the test
            made.remote = True
            made.opened = lambda name: OpenBaoKeyStore(
                settings=bao_settings(bao, tmp_path, f"{name}-{unique}"),
                monotonic=made.monotonic,
            )
    return made
