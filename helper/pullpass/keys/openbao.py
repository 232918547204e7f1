"""Transit keys in OpenBao, which signs. No private half ever comes here.

The transit engine has the versions, and a document in a KV engine has their states, since the
engine itself would sign with the newest version at once. Every signature names its version.

https://openbao.org/api-docs/secret/transit/ and https://openbao.org/api-docs/secret/kv/kv-v2/
"""

import base64
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pullpass.config.issuing import OpenBao
from pullpass.errors import KeyStoreError, TransportError
from pullpass.http import Flow, Request, Response
from pullpass.jose import PublicKey, load_public_key, raw_public_key
from pullpass.keys import document
from pullpass.keys.rotation import GONE
from pullpass.keys.store import FRESH, Held
from pullpass.keys.transit import State, TransitKey, Version
from pullpass.secret import Secret

MAX_TOKEN: Final = 4096  # bytes
_CONFLICT: Final = "transaction commit failed"  # another's change was kept, and nothing of this one
_TRIES: Final = 8  # against others, of whom one succeeds each time
_HASHES: Final = {"256": "sha2-256", "384": "sha2-384", "512": "sha2-512"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBaoKeyStore:
    """The transit keys of one key's settings. A KeyStore.

    Attributes:
        monotonic: a clock that nobody sets, in seconds.
    """

    settings: OpenBao
    monotonic: Callable[[], float] = time.monotonic

    def read(self, name: str) -> Flow[Held]:
        """Returns the key name. Raises: KeyStoreError."""
        answer = yield from self._ask("GET", self._state, missing=True)
        if answer is None:
            raise KeyStoreError(
                f"there is no key {name}: make it with `pullpass key create {name}`"
            )
        place = f"key {name}: its document in {self.settings.address}"
        try:
            text = answer["data"]["data"]["document"].encode()
            revision = answer["data"]["metadata"]["version"]
        except (KeyError, TypeError, AttributeError) as error:
            raise KeyStoreError(f"{place} is damaged: restore it") from error
        key = document.read(name, text, place, remote=self._remote)
        return Held(key=key, revision=str(revision), stamp=self.monotonic())

    def is_current(self, held: Held) -> bool:
        """Tells whether somebody looked a moment ago."""
        return isinstance(held.stamp, float) and self.monotonic() - held.stamp < FRESH

    def create(self, key: TransitKey) -> Flow[bool]:
        """Keeps a new key. Raises: KeyStoreError."""
        return self._put(key, 0)

    def swap(self, held: Held, key: TransitKey) -> Flow[bool]:
        """Keeps key instead of held, and destroys what it does not need. Raises: KeyStoreError."""
        if not (yield from self._put(key, int(held.revision))):
            return False
        yield from self._destroy(held.key, key)
        return True

    def make(self, name: str, type_: str, after: int, now: int) -> Flow[Version]:
        """Returns a version that OpenBao said it has made.

        One that is merely seen there is not taken: where two rotations meet, OpenBao shows and
        signs with what it failed to commit, until it is sealed, and then gives the number again.

        Raises:
            KeyStoreError: if it makes none, or was put back to before version after.
        """
        path = f"{self.settings.transit}/keys/{self.settings.key}"
        found = yield from self._ask("GET", path, missing=True)
        there = 0 if found is None else self._newest(found, name, type_)[0]
        if there < after:
            raise KeyStoreError(
                f"key {name}: OpenBao's {self.settings.key} is at version {there}, and version"
                f" {after} was made already: restore the newer one"
            )
        made = yield from self._made(path, type_, new=found is None)
        number, public = self._newest(made, name, type_)
        return Version(
            number=number,
            state=State.CREATED,
            created_at=now,
            since=now,
            public=public,
            key=self._remote(number),
        )

    def sign(self, number: int, data: bytes, algorithm: str) -> Flow[bytes]:
        """Returns data's signature by that version and no other. Raises: KeyStoreError."""
        asked = {
            "input": base64.b64encode(data).decode(),
            "key_version": number,
            "marshaling_algorithm": "jws",
            "signature_algorithm": "pkcs1v15",
            "hash_algorithm": _HASHES.get(algorithm[2:], "sha2-256"),
        }
        path = f"{self.settings.transit}/sign/{self.settings.key}"
        answer = yield from self._ask("POST", path, asked)
        try:
            _, version, signature = answer["data"]["signature"].split(":")
            raw = base64.urlsafe_b64decode(signature.translate(_URL_SAFE) + "==")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._error("answered a signature in a form that nobody knows") from error
        if version != f"v{number}":
            raise self._error(f"signed with {version} where v{number} was asked for")
        return raw

    def _made(self, path: str, type_: str, *, new: bool) -> Flow[Any]:
        if new:
            made = yield from self._ask("POST", path, {"type": type_})
            if not made.get("warnings"):  # it warns where somebody else made the key meanwhile
                return made
        return (yield from self._ask("POST", f"{path}/rotate", {}))

    def _newest(self, answer: Any, name: str, type_: str) -> tuple[int, PublicKey]:
        number = _number(answer, "latest_version")
        public = _public(answer, number)
        if public.type != type_:
            raise KeyStoreError(
                f"key {name}: OpenBao's {self.settings.key} is of type {public.type}: it takes one"
                f" of type {type_}"
            )
        return number, public

    def _remote(self, number: int) -> "OpenBaoKey":
        return OpenBaoKey(store=self, number=number)

    @property
    def _state(self) -> str:
        """Returns where the states of this very key are, whatever others call it."""
        settings = self.settings
        return f"{settings.state}/data/pullpass/{settings.transit}/{settings.key}"

    def _put(self, key: TransitKey, revision: int) -> Flow[bool]:
        content = {
            "options": {"cas": revision},
            "data": {"document": document.write(key).reveal()},
        }
        return (yield from self._ask("POST", self._state, content, cas=True)) is not None

    def _destroy(self, before: TransitKey, key: TransitKey) -> Flow[None]:
        """Has OpenBao forget the versions below the oldest that is of use."""
        needed = [_oldest(one) for one in (before, key)]
        if needed[0] == needed[1]:
            return
        path, least = f"{self.settings.transit}/keys/{self.settings.key}", needed[1]
        limits = {"min_decryption_version": least, "min_encryption_version": least}
        try:
            yield from self._ask("POST", f"{path}/config", limits)
            yield from self._ask("POST", f"{path}/trim", {"min_available_version": least})
        except KeyStoreError as error:  # nothing signs with them here; only their end has to wait
            logging.getLogger(__name__).warning("key %s: not destroyed yet: %s", key.name, error)

    def _ask(
        self,
        method: str,
        path: str,
        content: Mapping[str, Any] | None = None,
        *,
        missing: bool = False,
        cas: bool = False,
    ) -> Flow[Any]:
        """Returns what OpenBao answers, None where that may be missing or was changed meanwhile."""
        headers = {"x-vault-token": self._token().reveal()}
        if self.settings.namespace:
            headers["x-vault-namespace"] = self.settings.namespace
        request = Request(
            method=method,
            url=f"{self.settings.address}/v1/{path}",
            headers=headers,
            body=b"" if content is None else json.dumps(content).encode(),
        )
        status, found, errors = yield from _send(request)
        if 200 <= status < 300:
            return found
        if missing and status == 404 and not errors:
            return None
        if cas and status == 400 and any("check-and-set" in one for one in errors):
            return None
        raise self._refusal(status, path)

    def _refusal(self, status: int, path: str) -> KeyStoreError:
        match status:
            case 403:
                advice = (
                    f"its policy must allow it, and the token in {self.settings.token_file} live"
                )
            case 404:
                advice = "enable the engine that the settings name as transit or state"
            case 503:
                advice = "unseal it, or ask one of its nodes that is not sealed"
            case _:
                advice = "its log says why"
        return self._error(f"answered {status} to {path}: {advice}")

    def _error(self, message: str) -> KeyStoreError:
        return KeyStoreError(f"OpenBao at {self.settings.address} {message}")

    def _token(self) -> Secret:
        path = self.settings.token_file
        try:
            with path.open("rb") as file:
                text = file.read(MAX_TOKEN).decode().strip()
        except OSError as error:
            raise KeyStoreError(f"{path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise KeyStoreError(f"{path} holds no token of OpenBao's") from error
        if not (text and text.isascii() and text.isprintable()):
            raise KeyStoreError(f"{path} holds no token of OpenBao's")
        return Secret(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBaoKey:
    """One version's private half. A RemoteKey."""

    store: OpenBaoKeyStore = field(repr=False)
    number: int

    def sign(self, data: bytes, algorithm: str) -> Flow[bytes]:
        """Returns data's signature. Raises: KeyStoreError."""
        return self.store.sign(self.number, data, algorithm)


_URL_SAFE: Final = str.maketrans("+/", "-_")  # two of the three kinds of key come in plain base64


def _oldest(key: TransitKey) -> int:
    return min(version.number for version in key.versions if version.state not in GONE)


def _send(request: Request) -> Flow[tuple[int, Any, list[str]]]:
    """Returns status, answer and errors, once no other's change comes in between."""
    for _ in range(_TRIES):
        try:
            response = yield request
        except TransportError as error:
            raise KeyStoreError(f"OpenBao: {error}: try again once it can be reached") from error
        found, errors = _read(response)
        if response.status != 500 or not any(_CONFLICT in one for one in errors):
            return response.status, found, errors
    raise KeyStoreError("OpenBao: others change the same key all the time: try again")


def _read(response: Response) -> tuple[Any, list[str]]:
    try:
        found = json.loads(response.body or b"{}")
    except (ValueError, RecursionError):
        return {}, ["not JSON"]
    if not isinstance(found, dict):
        return {}, ["not an object"]
    return found, [str(one) for one in found.get("errors") or ()]


def _number(answer: Any, member: str) -> int:
    try:
        return int(answer["data"][member])
    except (KeyError, TypeError, ValueError) as error:
        raise KeyStoreError(
            f"OpenBao answered without {member}: is it a transit engine?"
        ) from error


def _public(answer: Any, number: int) -> PublicKey:
    try:
        text = answer["data"]["keys"][str(number)]["public_key"]
        if "BEGIN" in text:
            return load_public_key(text)
        return raw_public_key(base64.b64decode(text, validate=True))
    except (KeyError, TypeError, ValueError) as error:
        raise KeyStoreError("OpenBao's key has no public half: it takes one that signs") from error
