"""Registries that take the subject token itself as password: nobody is asked."""

from dataclasses import replace
from typing import Final

from fakes.vendors.vendor import TOKEN, Vendor

PASSTHROUGH: Final = Vendor(
    name="passthrough",
    provider="passthrough",
    registry="registry.example.com:5000",
    audience="registry.example.com:5000",
    username="token",
    password=TOKEN,
    lives=300,
)
ZOT: Final = replace(PASSTHROUGH, name="zot", provider="zot")
BUILDKITE: Final = Vendor(
    name="buildkite",
    provider="buildkite",
    registry="packages.buildkite.com",
    parameters={"organization": "acme", "package_registry": "images"},
    audience="https://packages.buildkite.com/acme/images",
    username="buildkite",
    password=TOKEN,
    lives=300,
)
