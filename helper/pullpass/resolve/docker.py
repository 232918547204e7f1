"""Docker's credential helper protocol as texts, for whoever speaks it. Pure.

https://github.com/docker/docker-credential-helpers, credentials/error.go and credentials.go (0.9).
"""

import json
from typing import Final

from pullpass.credential import Credential
from pullpass.errors import CredentialNotFound, InvalidReference, PullpassError
from pullpass.reference import parse_server_url
from pullpass.resolve.choose import Query

NOT_FOUND: Final = "credentials not found in native keychain"
NO_SERVER_URL: Final = "no credentials server URL"


def read_server_url(raw: bytes) -> str:
    """Returns the server URL as Docker's helpers read it: lines joined, ends trimmed."""
    text = raw.decode("utf-8", errors="replace")
    return "".join(line.removesuffix("\r") for line in text.split("\n")).strip()


def query_of(server_url: str) -> Query:
    """Returns what a client wants that asks for server_url.

    Raises:
        CredentialNotFound: if no registry has such a URL.
    """
    try:
        asked = parse_server_url(server_url)
    except InvalidReference as error:
        raise CredentialNotFound(str(error)) from error
    return Query(registry=asked.registry, repository=asked.repository, plaintext=asked.plaintext)


def render(server_url: str, credential: Credential) -> str:
    """Returns the document that ``get`` prints: it holds the secret."""
    document = {
        "ServerURL": server_url,
        "Username": credential.username,
        "Secret": credential.secret.reveal(),
    }
    return json.dumps(document)


def refusal(error: PullpassError) -> str:
    """Returns the line that says error to a client, which Docker puts between backticks."""
    return NOT_FOUND if isinstance(error, CredentialNotFound) else str(error).replace("`", "'")
