"""The champion in memory: the alias is read at most once per second; an unusable successor does not replace it."""

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
    """Follow the alias without a restart; ``fault`` says why the version that it names is not the one in use.

    ``read`` makes a model of a version, or raises `RegistryError`.
    """

    registry: Registry
    read: Callable[[StoredModel], Model]
    interval_s: float = 1.0
    now_s: Callable[[], float] = monotonic
    fault: str | None = field(default=None, init=False)
    version: str | None = field(default=None, init=False)
    _model: Model | None = field(default=None, init=False)
    _refreshed_at_s: float | None = field(default=None, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def current(self) -> Model | None:
        """Return the model in use; None if there has been none yet."""
        with self._lock:
            if self._refreshed_at_s is None or self.now_s() - self._refreshed_at_s >= self.interval_s:
                self._refresh()
                self._refreshed_at_s = self.now_s()
            return self._model

    def refresh(self) -> None:
        """Let the next call of `current` read the alias, whatever the time."""
        with self._lock:
            self._refreshed_at_s = None

    def _refresh(self) -> None:
        fault: str | None
        try:
            alias = self.registry.alias(CHAMPION)
            fault = self._use(alias.version)
            if fault is not None and self._model is None and alias.previous is not None:
                # A start with an unusable champion: the previous one was in service until then.
                self._use(alias.previous)
        except AliasUnset as unset:
            fault = str(unset)
        except (RegistryError, OSError) as failure:
            fault = str(failure)
        if fault != self.fault and fault is not None:
            _log.warning("champion not replaced", in_use=self.version, fault=fault)
        self.fault = fault

    def _use(self, version: str) -> str | None:
        """Load a version and put it in use; return its fault, or None."""
        if version == self.version:
            return None
        try:
            self._model = self.read(self.registry.load(version))
        except (RegistryError, OSError) as failure:
            return str(failure)
        self.version = version
        _log.info("champion in use", version=version)
        return None
