"""The champion in memory: looked for again at most each second, and kept when its successor cannot be used."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

import structlog

from battery_ml.registry.errors import AliasUnset, RegistryError
from battery_ml.registry.store import CHAMPION, Registry, StoredModel

_log = structlog.get_logger(__name__)
Model = TypeVar("Model")


@dataclass(slots=True)
class Champion(Generic[Model]):
    """Follow the alias without a restart; ``fault`` says why the model that it names is not the one in use.

    ``read`` makes a model of a version, or raises `RegistryError` when it cannot.
    """

    registry: Registry
    read: Callable[[StoredModel], Model]
    pause_s: float = 1.0
    now_s: Callable[[], float] = monotonic
    fault: str | None = field(default=None, init=False)
    version: str | None = field(default=None, init=False)
    _model: Model | None = field(default=None, init=False)
    _looked_at_s: float | None = field(default=None, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def current(self) -> Model | None:
        """Return the model in use; None when there has been none yet."""
        with self._lock:
            if self._looked_at_s is None or self.now_s() - self._looked_at_s >= self.pause_s:
                self._look()
                self._looked_at_s = self.now_s()
            return self._model

    def look_again(self) -> None:
        """Let the next call look at the alias whatever the time."""
        with self._lock:
            self._looked_at_s = None

    def _look(self) -> None:
        fault: str | None
        try:
            named = self.registry.alias(CHAMPION)
            fault = self._take(named.version)
            if fault is not None and self._model is None and named.previous is not None:
                # A start with a spoilt champion: the one before was good enough until then.
                self._take(named.previous)
        except AliasUnset as unset:
            fault = str(unset)
        except (RegistryError, OSError) as failure:
            fault = str(failure)
        if fault != self.fault and fault is not None:
            _log.warning("champion kept as it was", in_use=self.version, fault=fault)
        self.fault = fault

    def _take(self, version: str) -> str | None:
        """Put a version to use and return None, or what is wrong with it."""
        if version == self.version:
            return None
        try:
            self._model = self.read(self.registry.load(version))
        except (RegistryError, OSError) as failure:
            return str(failure)
        self.version = version
        _log.info("champion in use", version=version)
        return None
