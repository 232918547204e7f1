"""A transport which answers from a table."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from pullpass.errors import TransportError
from pullpass.http import Request, Response

Answer = Response | Callable[[Request], Response]


class Scripted:
    """Answers each method and URL without its query as the table says, and keeps what was asked."""

    def __init__(self, answers: Mapping[tuple[str, str], Answer]) -> None:
        self._answers = answers
        self.asked: list[Request] = []

    def send(self, request: Request) -> Response:
        """Returns the table's answer to request, else 404; bounded as a real transport is."""
        self.asked.append(request)
        url = urlsplit(request.url)._replace(query="").geturl()
        answer = self._answers.get((request.method, url), Response(status=404))
        found = answer(request) if callable(answer) else answer
        if len(found.body) > request.max_body:
            raise TransportError("the answer is too long")
        return found
