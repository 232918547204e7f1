"""The other side of every provider, as its documentation has it."""

from typing import Final

from fakes.vendors.aws import ECR, ECR_PUBLIC
from fakes.vendors.brokers import OPENBAO, OPENBAO_DYNAMIC
from fakes.vendors.clouds import ACR, GAR, GAR_ACCOUNT, YANDEX
from fakes.vendors.exchanges import DOCKER_HUB, JFROG, JFROG_WHOLE, RFC8693
from fakes.vendors.others import CHAINGUARD, CLOUDSMITH, QUAY
from fakes.vendors.shown import BUILDKITE, PASSTHROUGH, ZOT
from fakes.vendors.vendor import NOW, TOKEN, UNKNOWN, Call, Play, Refusal, Vendor, given, trade

VENDORS: Final = (
    *(JFROG, JFROG_WHOLE, DOCKER_HUB, QUAY, ACR, GAR, GAR_ACCOUNT, ECR, ECR_PUBLIC, CLOUDSMITH),
    *(CHAINGUARD, YANDEX, RFC8693, OPENBAO, OPENBAO_DYNAMIC, PASSTHROUGH, ZOT, BUILDKITE),
)
BY_NAME: Final = {vendor.name: vendor for vendor in VENDORS}
ASKED: Final = tuple(vendor.name for vendor in VENDORS if vendor.calls)

__all__ = [
    "ASKED",
    "BY_NAME",
    "NOW",
    "TOKEN",
    "UNKNOWN",
    "VENDORS",
    "Call",
    "Play",
    "Refusal",
    "Vendor",
    "given",
    "trade",
]
