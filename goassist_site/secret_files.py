"""Secrets that lie in files: NAME_FILE in the environment instead of NAME."""

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_settings import EnvSettingsSource


class SettingsError(Exception):
    """The environment cannot be used. The text says which setting, and how to mend it."""


class SecretFiles(EnvSettingsSource):
    """NAME_FILE in the environment: the file's content is the value of the secret NAME, unless NAME itself is set."""

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            path = os.environ.get(f"{name.upper()}_FILE") if field.annotation is SecretStr else None
            if path:
                try:
                    found[name] = Path(path).read_text().strip()
                except OSError as error:
                    raise SettingsError(f"{name.upper()}_FILE: cannot read {path}: {error.strerror}") from error
        return found
