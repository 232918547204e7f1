"""The least that an ASGI application can be: ``python bare_server.py PORT``.

It sends as many bytes as a JWKS has to whoever asks, from the same server as the issuer's: what an
answer takes is the server's.
"""

import sys
from typing import Any, Final

from pullpass.config.model import Listener
from pullpass.serving import serve

BODY: Final = b"x" * 215  # as long as a JWKS with one key for ES256
START: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))],
}


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers a request, or lives through a lifespan."""
    if scope["type"] == "lifespan":
        for stage in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{stage}.complete"})
    else:
        await send(START)
        await send({"type": "http.response.body", "body": BODY})


def create() -> Any:
    """Returns the application."""
    return application


if __name__ == "__main__":
    port = int(sys.argv[1])
    serve(
        "bare_server:create",
        Listener(host="127.0.0.1", port=port, certificate=None, private_key=None),
    )
