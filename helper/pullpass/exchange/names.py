"""Which names a template may use where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pullpass.errors import ConfigError
from pullpass.exchange.template import Hole, Template, parse_template

BUILT_IN: Final = frozenset({"registry", "exchange", "identity"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What is known at one place of a spec.

    Attributes:
        outputs: of the steps before, and whether each is sure to be there.
        secrets: whether the identity and outputs may stand here.
        optional: whether a value may be absent here.
    """

    outputs: Mapping[str, bool] = field(default_factory=dict)
    secrets: bool = True
    optional: bool = True

    def template(self, text: str, key: str) -> Template:
        """Returns text as a template. Raises: ConfigError."""
        return self.check(parse_template(text, key), key)

    def check(self, template: Template, key: str) -> Template:
        """Returns template if its names are known and fit here. Raises: ConfigError."""
        for hole in template.holes:
            if why := self._fault(hole):
                raise ConfigError(f"{{{hole.name}}} {why}", key=key)
        return template

    def _fault(self, hole: Hole) -> str:
        is_output = "." in hole.name
        if (is_output or hole.name == "identity") and not self.secrets:
            return "may hold a token and never stands here"
        if is_output and hole.name not in self.outputs:
            return "is no output of a step before"
        if hole.optional:
            return "" if self.optional else "must be there: leave the question mark out"
        if is_output and not self.outputs[hole.name]:
            return f"may be absent: write {{{hole.name}?}}"
        return ""


def is_parameter(name: str) -> bool:
    """Tells whether name is one that an entry sets."""
    return "." not in name and name not in BUILT_IN
