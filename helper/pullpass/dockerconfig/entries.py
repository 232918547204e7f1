"""Which members of the file are pullpass's: written, and taken back. Pure.

Docker looks a registry up under its bare host alone, and Docker Hub under a URL where podman uses
``docker.io``, so Docker Hub has two keys. Any entry also ends Docker's habit to use the machine's
own store where a file names none: that store is then written down.
https://github.com/docker/cli, cli/config/configfile/file.go and cli/config/config.go (28.2)
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pullpass.dockerconfig import document
from pullpass.dockerconfig.document import Edit
from pullpass.dockerconfig.record import Record
from pullpass.errors import MalformedInput, UsageError
from pullpass.reference import DOCKER_HUB

HELPER: Final = "pullpass"  # clients run docker-credential-HELPER
HELPERS, STORE, AUTHS = "credHelpers", "credsStore", "auths"
_HUB_OF_DOCKER: Final = "https://index.docker.io/v1/"


def keys(registries: Iterable[str]) -> list[str]:
    """Returns under which keys clients look registries up."""
    found = list(registries)
    if DOCKER_HUB in found:
        found.insert(found.index(DOCKER_HUB) + 1, _HUB_OF_DOCKER)
    return found


def answering(values: dict[str, Any]) -> dict[str, str]:
    """Returns which helper answers for which host, by what the file says.

    Raises:
        MalformedInput: if that is something else than names.
    """
    helpers = values.get(HELPERS, {})
    if not isinstance(helpers, dict) or not all(isinstance(one, str) for one in helpers.values()):
        raise MalformedInput(f"has something else than names of helpers under {HELPERS}")
    return helpers


@dataclass(slots=True)
class _Writing:
    """A text and the changes that were made to it."""

    text: str
    edits: list[Edit] = field(default_factory=list)

    def put(self, path: tuple[str, ...], value: object) -> None:
        self._apply(document.put(self.text, path, value))

    def begin(self) -> None:
        self._apply(document.begin(self.text))

    def _apply(self, edit: Edit) -> None:
        self.text = edit.apply(self.text)
        self.edits.append(edit)


def configure(
    text: str, record: Record, hosts: Iterable[str], *, store: str, force: bool
) -> tuple[str, Record]:
    """Returns text in which pullpass answers for hosts, and the record of all changes so far.

    Args:
        text: what the file holds, empty where there is none.
        record: of the changes before.
        hosts: keys, as ``keys`` gives them.
        store: the store that Docker uses where the file names none, empty if there is none.
        force: takes hosts from other helpers.

    Raises:
        MalformedInput: if text is no such file.
        UsageError: if another helper answers for a host.
    """
    values = document.read(text)
    helpers = answering(values)
    wanted = [host for host in hosts if helpers.get(host) != HELPER]
    if not wanted:
        return text, record
    _check_free(helpers, wanted, force=force)
    lost = "" if any(values.get(name) for name in (AUTHS, HELPERS, STORE)) else store
    writing = _Writing(text)
    if not text.strip():
        writing.begin()
    if HELPERS not in values:
        writing.put((HELPERS,), {})
    for host in wanted:
        writing.put((HELPERS, host), HELPER)
    if lost:
        writing.put((STORE,), lost)
    return writing.text, replace(
        record,
        edits=(*record.edits, *writing.edits),
        helpers={**record.helpers, **{host: helpers.get(host) for host in wanted}},
        store=lost or record.store,
    )


def unconfigure(text: str, record: Record | None) -> str:
    """Returns text as it was before, or without what is ours where it has changed since.

    Without a record ours is every host that pullpass answers for.

    Raises:
        MalformedInput: if text is no such file.
    """
    values = document.read(text)
    if record is None:
        ours = [host for host, helper in answering(values).items() if helper == HELPER]
        record = Record(helpers=dict.fromkeys(ours))
    removed = _without_ours(text, values, record)
    before = _reverted(text, record)
    return before if _meaning(before) == _meaning(removed) else removed


def _check_free(helpers: dict[str, str], wanted: Iterable[str], *, force: bool) -> None:
    for host in wanted:
        if host in helpers and not force:
            raise UsageError(
                f"{helpers[host]} answers for {host} already: use --force to let pullpass do it"
            )


def _without_ours(text: str, values: dict[str, Any], record: Record) -> str:
    helpers = answering(values)
    for host, former in record.helpers.items():
        if helpers.get(host) != HELPER:
            continue
        if former is None:
            text = document.drop(text, (HELPERS, host))
        else:
            text = document.put(text, (HELPERS, host), former).apply(text)
    left = document.read(text)
    if HELPERS in left and not left[HELPERS] and record.helpers:
        text = document.drop(text, (HELPERS,))
    # Docker would not go back to its default: it writes the store down where it has stored.
    if record.store and left.get(STORE) == record.store and not _has_auth(left):
        text = document.drop(text, (STORE,))
    return text


def _has_auth(values: dict[str, Any]) -> bool:
    return bool(values.get(AUTHS) or values.get(HELPERS))


def _reverted(text: str, record: Record) -> str:
    """Returns the text before all changes, those left out that are not there any more."""
    for edit in reversed(record.edits):
        before = edit.revert(text)
        text = text if before is None else before
    return text


def _meaning(text: str) -> dict[str, Any] | None:
    """Returns what text says, to which no helpers and no store add nothing; None if it is none."""
    try:
        values = document.read(text)
    except MalformedInput:
        return None
    return {name: value for name, value in values.items() if value or name not in {HELPERS, STORE}}
