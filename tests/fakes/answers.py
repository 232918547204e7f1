"""A Transport which gives prepared answers in their order."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pullpass.errors import TransportError
from pullpass.http import Request, Response


@dataclass(kw_only=True)
class Answers:
    """Gives each answer once, raises those that are errors, and remembers what was asked."""

    answers: Sequence[Response | TransportError]
    seen: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        answer = self.answers[len(self.seen)]
        self.seen.append(request)
        if isinstance(answer, TransportError):
            raise answer
        return answer
