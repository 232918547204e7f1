"""JWT-SVIDs of SPIFFE: from the Workload API, or through SPIRE's own program.

https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Workload_API.md
"""

from typing import Final

from pullpass.identity.effects import FetchSvid, RunCommand, Steps, run_command
from pullpass.identity.reading import read_json, text_at
from pullpass.identity.source import Wanted

_SOCKET: Final = "SPIFFE_ENDPOINT_SOCKET"
_AGENT: Final = "spire-agent"


def workload_api(wanted: Wanted) -> Steps[str | None]:
    """Returns what the Workload API gives to this process."""
    socket = wanted.parameters["socket"] or wanted.environ.get(_SOCKET, "")
    if not socket:
        return None
    spiffe_id = wanted.parameters["spiffe_id"]
    token: str = yield FetchSvid(socket=socket, audience=wanted.audience, spiffe_id=spiffe_id)
    return token


def spire_agent(wanted: Wanted) -> Steps[str | None]:
    """Returns what ``spire-agent api fetch jwt`` prints: it needs no gRPC here."""
    told = wanted.parameters
    argv = (_AGENT, "api", "fetch", "jwt", "-audience", wanted.audience, "-output", "json")
    more = (
        *(("-socketPath", told["socket"].removeprefix("unix://")) if told["socket"] else ()),
        *(("-spiffeID", told["spiffe_id"]) if told["spiffe_id"] else ()),
    )
    names = ("PATH", "HOME", _SOCKET)
    environ = {name: wanted.environ[name] for name in names if name in wanted.environ}
    printed = yield from run_command(RunCommand(argv=(*argv, *more), environ=environ))
    return text_at(read_json(printed, _AGENT), "svids.svid", _AGENT)
