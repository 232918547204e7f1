"""Files of settings where load looks for them."""

from pathlib import Path

import pytest

from fakes.settings import refusal_of
from pullpass.config.load import load
from pullpass.config.model import Config
from pullpass.errors import ConfigError

KEY = "[keys.{name}]\n"


class Home:
    """A host's and a person's directories, both empty at first."""

    def __init__(self, directory: Path) -> None:
        self.host = directory / "etc"
        self.person = directory / "config" / "pullpass" / "config.toml"
        self.environ = {"XDG_CONFIG_HOME": str(directory / "config"), "HOME": str(directory)}

    def write(self, path: Path, text: str | bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def load(self, **environ: str) -> Config:
        return load(self.environ | environ, self.host)

    def refusal(self, **environ: str) -> str:
        with pytest.raises(ConfigError) as refused:
            self.load(**environ)
        return refusal_of(refused.value)
