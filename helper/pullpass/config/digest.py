"""By what two processes see that they read the same settings of a registry. Pure."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from pullpass.config.model import Config, OwnIssuer, Registry


def digest(config: Config, registry: Registry) -> str:
    """Returns 16 hex digits over all settings that decide registry's answers."""
    sources = [entry.source for entry in registry.credentials]
    used = {source.issuer for source in sources if isinstance(source, OwnIssuer)}
    settings = [asdict(registry), *(asdict(config.issuers[name]) for name in sorted(used))]
    raw = json.dumps(settings, sort_keys=True, default=_plain)
    return hashlib.sha256(raw.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else str(value)
