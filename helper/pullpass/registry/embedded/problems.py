"""The registry's errors as clients read them (distribution specification, «Error Codes»)."""

import json
from typing import Any, Final

from starlette.responses import Response

from pullpass.errors import RegistryError

_PROBLEMS: Final = {
    "BLOB_UNKNOWN": (404, "blob unknown to registry"),
    "BLOB_UPLOAD_UNKNOWN": (404, "blob upload unknown to registry"),
    "DIGEST_INVALID": (400, "provided digest did not match uploaded content"),
    "MANIFEST_BLOB_UNKNOWN": (400, "blob unknown to registry"),
    "MANIFEST_INVALID": (400, "manifest invalid"),
    "MANIFEST_UNKNOWN": (404, "manifest unknown"),
    "NAME_UNKNOWN": (404, "repository name not known to registry"),
    "UNAUTHORIZED": (401, "authentication required"),
    "UNSUPPORTED": (405, "the operation is unsupported"),
}


class Problem(RegistryError):
    """Why a request is refused: one of the specification's codes, and what it is about."""

    def __init__(self, code: str, detail: Any = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail

    def response(self) -> Response:
        """Returns the answer to the request."""
        status, message = _PROBLEMS[self.code]
        problem = {"code": self.code, "message": message, "detail": self.detail}
        return Response(
            json.dumps({"errors": [problem]}), status, media_type="application/json; charset=utf-8"
        )
