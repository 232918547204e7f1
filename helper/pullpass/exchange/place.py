"""Where a credential is wanted, and where its exchange is."""

from collections.abc import Mapping
from dataclasses import dataclass

from pullpass.errors import ConfigError, MalformedInput
from pullpass.exchange.spec import Spec
from pullpass.exchange.template import Values
from pullpass.exchange.url import check_origin, render_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a credential is wanted.

    Attributes:
        registry: its address, ``host[:port]``.
        exchange: the origin of its exchange, empty for the one that the spec names.
        insecure: whether plain http may be used, to loopback only.
        entry: the dotted key of the registry's entry where it is written otherwise.
    """

    registry: str
    exchange: str = ""
    insecure: bool = False
    entry: str = ""

    @property
    def key(self) -> str:
        """Returns the dotted key of the registry's entry."""
        return self.entry or f'registry."{self.registry}"'


def public_values(spec: Spec, parameters: Mapping[str, str], place: Place) -> Values:
    """Returns what templates may use before any token is there.

    Raises:
        ConfigError: if the exchange's origin is none.
    """
    told = {**spec.defaults, **spec.told(place.registry)}
    values: Values = {**told, **parameters, "registry": place.registry}
    try:
        default = render_url(spec.exchange, values, insecure=place.insecure)
        origin = check_origin(place.exchange or default, insecure=place.insecure)
    except MalformedInput as error:
        raise ConfigError(str(error), key=f"{place.key}.exchange") from error
    return {**values, "exchange": origin}
