"""Asks SPIFFE's Workload API for a JWT-SVID.

https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Workload_API.md
"""

from collections.abc import Mapping
from typing import Final

import grpc

from pullpass.errors import IdentityError
from pullpass.identity.effects import MAX_OUTPUT, FetchSvid
from pullpass_plugin._proto.workload_pb2 import JWTSVIDRequest, JWTSVIDResponse

_METHOD: Final = "/SpiffeWorkloadAPI/FetchJWTSVID"
_HEADER: Final = (("workload.spiffe.io", "true"),)  # §4: a browser that was tricked sends none
_OPTIONS: Final = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.default_authority", "localhost"),
    ("grpc.max_receive_message_length", MAX_OUTPUT),
)
_ADVICE: Final[Mapping[grpc.StatusCode, str]] = {
    grpc.StatusCode.PERMISSION_DENIED: "it has no identity for this process: register the workload,"
    " whose selectors must fit whoever asks, the agent included",
    grpc.StatusCode.INVALID_ARGUMENT: "it does not take the audience or spiffe_id: check them",
    grpc.StatusCode.UNAVAILABLE: "nobody answers there: start SPIFFE's agent, and check socket",
    grpc.StatusCode.DEADLINE_EXCEEDED: "no answer in time: look at the log of SPIFFE's agent",
    grpc.StatusCode.UNIMPLEMENTED: "it is not the Workload API: check socket",
}


def fetch(effect: FetchSvid) -> str:
    """Returns a JWT-SVID for the audience: of the identity that is asked for, else the first.

    Raises:
        IdentityError: if there is none.
    """
    where = f"the Workload API at {effect.socket}"
    asked = JWTSVIDRequest(audience=[effect.audience], spiffe_id=effect.spiffe_id)
    try:
        with grpc.insecure_channel(_target(effect.socket), options=_OPTIONS) as channel:
            call = channel.unary_unary(
                _METHOD,
                request_serializer=JWTSVIDRequest.SerializeToString,
                response_deserializer=JWTSVIDResponse.FromString,
            )
            answer: JWTSVIDResponse = call(asked, timeout=effect.timeout, metadata=_HEADER)
    except grpc.RpcError as error:
        code = error.code()
        advice = _ADVICE.get(code, "look at the log of SPIFFE's agent")
        raise IdentityError(f"{where} answers {code.name}: {advice}") from error
    if not answer.svids or not answer.svids[0].svid:
        raise IdentityError(f"{where} answers without a token: register the workload for JWTs")
    return answer.svids[0].svid


def _target(socket: str) -> str:
    """Returns gRPC's name for an endpoint, §3 of SPIFFE_Workload_Endpoint."""
    scheme, _, address = socket.partition(":")
    if scheme == "unix" and address.removeprefix("//").startswith("/"):
        return f"unix:{address.removeprefix('//')}"
    if scheme == "tcp" and address.startswith("//"):
        return address.removeprefix("//")
    raise IdentityError(f"{socket} is no socket of SPIFFE: write unix:///run/… or tcp://IP:port")
