"""SPIFFE's Workload API on a Unix socket: it keeps the header, the statuses and the numbers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc

from fakes.platforms import Token, token
from pullpass_plugin._proto.workload_pb2 import JWTSVID, JWTSVIDRequest, JWTSVIDResponse

FIRST: Final = "spiffe://acme.example/first"

Context = grpc.ServicerContext


@dataclass(slots=True, kw_only=True)
class WorkloadApi:
    """An endpoint that knows two identities of whoever asks.

    Attributes:
        gives: the token for an audience.
        refuses: a status in the place of an answer.
        empty: whether it answers without an identity.
        asked: requests so far.
    """

    gives: Token = token
    refuses: grpc.StatusCode | None = None
    empty: bool = False
    asked: list[JWTSVIDRequest] = field(default_factory=list)

    def fetch(self, request: JWTSVIDRequest, context: Context) -> JWTSVIDResponse:
        """Answers FetchJWTSVID."""
        self.asked.append(request)
        if dict(context.invocation_metadata()).get("workload.spiffe.io") != "true":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "security header missing from request")
        if self.refuses is not None:
            context.abort(self.refuses, "hunter2")
        if self.empty:
            return JWTSVIDResponse()
        names = (request.spiffe_id,) if request.spiffe_id else (FIRST, "spiffe://acme.example/two")
        audience = request.audience[0]
        return JWTSVIDResponse(
            svids=[JWTSVID(spiffe_id=name, svid=self.gives(audience)) for name in names]
        )


@contextmanager
def serving(api: WorkloadApi, socket: Path) -> Iterator[str]:
    """Serves api at socket for the length of a block, and gives the endpoint's name."""
    handler = grpc.unary_unary_rpc_method_handler(
        api.fetch,
        request_deserializer=JWTSVIDRequest.FromString,
        response_serializer=JWTSVIDResponse.SerializeToString,
    )
    methods = {"FetchJWTSVID": handler}
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("SpiffeWorkloadAPI", methods),)
    )
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    try:
        yield f"unix://{socket}"
    finally:
        server.stop(None).wait()
