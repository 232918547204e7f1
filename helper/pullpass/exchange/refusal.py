"""What an answer means that is none: which failure it is, why as far as is known, and what to do.

Of the other side's text only codes are repeated that a spec or RFC 6749 knows.
"""

import re
from collections.abc import Mapping
from typing import Final

from pullpass.errors import ExchangeDenied, ExchangeError, ExchangeUnavailable
from pullpass.exchange.answer import error_texts
from pullpass.exchange.spec import Step
from pullpass.http import MAX_SKEW, Response

# RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8693 §2.2.2, and what JFrog's platform answers.
_KNOWN_CODES: Final = frozenset(
    {
        *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"),
        *("unsupported_grant_type", "invalid_scope", "access_denied", "server_error"),
        *("temporarily_unavailable", "invalid_token", "insufficient_scope", "invalid_target"),
        *("BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND"),
    }
)
_MAX_WAIT: Final = 24 * 3600  # seconds; a longer Retry-After is no advice
_HINTS: Final[Mapping[int, str]] = {
    400: "check the entry's parameters against what the exchange expects",
    401: "check that the exchange trusts the token's issuer, audience and subject",
    403: "check what the token's subject may do at the exchange",
    404: "there is no such endpoint: check provider and exchange",
}
_DENIED: Final = "check the entry's provider, exchange and parameters"
_TOKEN_REFUSED: Final = frozenset({400, 401, 403})
_TRY_LATER: Final = frozenset({408, 425, 429})


def refusal(step: Step, response: Response, where: str, now: float) -> ExchangeError:
    """Returns the failure that response is.

    Args:
        step: what was asked.
        response: with any status but those from 200 to 299.
        where: the beginning of the sentence.
        now: Unix seconds, when response came.
    """
    status = response.status
    code, known = _explained(step, response)
    said = f"{where} answered {status}{f' ({code})' if code else ''}"
    hint = step.hints.get(status, "")
    if status >= 500 or status in _TRY_LATER:
        hint = known or hint or "the exchange cannot serve now"
        return ExchangeUnavailable(f"{said}: {hint}; try again {_when(response)}")
    if status >= 400:
        skewed = _clock(response, now) if status in _TOKEN_REFUSED else ""
        return ExchangeDenied(f"{said}: {known or skewed or hint or _HINTS.get(status, _DENIED)}")
    if status >= 300:
        hint = (
            "set exchange to the address which answers itself"
            if step.url.moves
            else "check that nothing else answers in the place of the API"
        )
        return ExchangeError(f"{said}, and redirects are not followed: {hint}")
    return ExchangeError(f"{said}, which is no answer to this step: {_DENIED}")


def _explained(step: Step, response: Response) -> tuple[str, str]:
    """Returns the code that the answer names and what to do then; empty where not known."""
    texts = tuple(error_texts(step, response))
    for code, known in step.codes.items():
        if any(_words(code) in _words(text) for text in texts):
            return code, known
    return next((text for text in texts if text in _KNOWN_CODES), ""), ""


def _words(text: str) -> str:
    """Returns the words of text alone, so that a code is found as a whole one."""
    return f" {' '.join(re.findall(r'[A-Za-z0-9_]+', text))} "


def _clock(response: Response, now: float) -> str:
    """Returns what to do where a token is refused by a clock that differs from ours."""
    skew = 0.0 if response.date is None else now - response.date
    if abs(skew) <= MAX_SKEW:
        return ""
    side = "ahead of" if skew > 0 else "behind"
    return f"compare the clocks: this host's is {abs(skew):.0f}s {side} the exchange's"


def _when(response: Response) -> str:
    wait = response.retry_after
    return f"in {wait} seconds" if wait and wait <= _MAX_WAIT else "later"
