"""The text under which a user name and its secret rest in every store. Pure.

It is JSON, since a password may have several lines, as a service account's key has.
"""

import json
from typing import Final

from pullpass.credential import Credential
from pullpass.errors import StoreError
from pullpass.secret import Secret

MAX_DOCUMENT: Final = 1 << 16  # bytes; Docker's clients send no longer one


def render(username: str, secret: Secret) -> Secret:
    """Returns the text that ``parse`` reads. Raises: StoreError if it is too long."""
    text = json.dumps({"username": username, "secret": secret.reveal()})
    if len(text) > MAX_DOCUMENT:
        raise StoreError(f"the secret is longer than {MAX_DOCUMENT} bytes")
    return Secret(text)


def parse(text: Secret) -> Credential:
    """Returns the credential that text is.

    Raises:
        StoreError: if it is none.
    """
    wrong = StoreError('it is not {"username": …, "secret": …} in JSON: store it again')
    if len(text.reveal()) > MAX_DOCUMENT:
        raise wrong
    try:
        found = json.loads(text.reveal())
    except (ValueError, RecursionError):
        raise wrong from None  # the error's own text would hold the secret
    match found:
        case {"username": str(username), "secret": str(secret)} if username and secret:
            return Credential(username=username, secret=Secret(secret))
    raise wrong
