from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fakes.settings import REGISTRY, Place, refusal_of, settings
from pullpass.config.model import Config
from pullpass.config.parse import parse
from pullpass.errors import ConfigError

STATE: Final = Path("/var/lib/state")

toml_scalars = (
    st.text()
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.sampled_from([date.min, datetime.now(UTC).time(), datetime.now(UTC)])
    | st.sampled_from(["5m", "0s", "https://id.example.com", "127.0.0.1:1", "*", REGISTRY])
)
toml_names = st.text() | st.sampled_from(["keys", "issuers", "registry", "serve", "it", REGISTRY])
toml_values = st.recursive(
    toml_scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(toml_names, inner, max_size=3),
    max_leaves=6,
)


def parsed(values: dict[str, Any]) -> Config:
    return parse(values, STATE)


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Yields where anything stands in value, value itself excepted."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for step, one in inner:
        yield (*place, step)
        if isinstance(one, dict | list):
            yield from places(one, (*place, step))


PLACES: Final = tuple(places(settings()))


def parsed_or_refused(values: dict[str, Any]) -> None:
    try:
        config = parsed(values)
    except ConfigError as error:
        assert error.key
        refusal_of(error)
    else:
        assert config.state_dir.is_absolute()


@given(st.dictionaries(toml_names, toml_values, max_size=4))
def test_any_toml_is_a_configuration_or_a_config_error(values: dict[str, Any]) -> None:
    parsed_or_refused(values)


@limits(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(PLACES), toml_values), min_size=1, max_size=2))
def test_settings_with_anything_anywhere_are_a_configuration_or_a_config_error(
    changes: list[tuple[Place, Any]],
) -> None:
    values = settings()
    for place, value in changes:
        put(values, place, value)
    parsed_or_refused(values)


@given(st.sampled_from(PLACES), toml_names, toml_values)
def test_a_setting_more_anywhere_is_a_configuration_or_a_config_error(
    place: Place, name: str, value: object
) -> None:
    values = settings()
    put(values, (*place[:-1], name), value)
    parsed_or_refused(values)


def put(values: Any, place: Place, value: object) -> None:
    """Sets value at place, unless an earlier change took its table or list away."""
    *above, last = place
    with suppress(KeyError, IndexError, TypeError):
        for step in above:
            values = values[step]
        values[last] = value
