"""What a registry's address tells: ``*.dkr.ecr.{region}.amazonaws.com``. ``*`` is any label."""

from collections.abc import Mapping
from dataclasses import dataclass

from pullpass.errors import ConfigError, MalformedInput
from pullpass.exchange.template import Hole, authority, host_label, parse_template


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The labels of an address, each literal, ``*`` or a hole for a whole one."""

    labels: tuple[str | Hole, ...]

    @property
    def names(self) -> frozenset[str]:
        """Returns the parameters that it tells."""
        return frozenset(label.name for label in self.labels if isinstance(label, Hole))

    def read(self, registry: str) -> Mapping[str, str] | None:
        """Returns the parameters that registry tells, or None where it is another kind."""
        labels = registry.lower().split(".")
        if len(labels) != len(self.labels) or not all(map(_is_label, labels)):
            return None
        pairs = tuple(zip(self.labels, labels, strict=True))
        if any(known not in {"*", label} for known, label in pairs if isinstance(known, str)):
            return None
        return {known.name: label for known, label in pairs if isinstance(known, Hole)}


def parse_address(text: str, key: str) -> Address:
    """Returns text as an address. Raises: ConfigError."""
    labels: list[str | Hole] = []
    for label in text.split("."):
        parts = parse_template(label, key).parts
        if len(parts) != 1 or (isinstance(parts[0], Hole) and parts[0].optional):
            raise ConfigError("takes labels between dots, each literal, * or {name}", key=key)
        labels += parts
    try:
        authority(
            ".".join("x" if label == "*" or isinstance(label, Hole) else label for label in labels)
        )
    except MalformedInput as error:
        raise ConfigError("is not the address of a registry", key=key) from error
    return Address(labels=tuple(labels))


def _is_label(text: str) -> bool:
    try:
        host_label(text)
    except MalformedInput:
        return False
    return True
