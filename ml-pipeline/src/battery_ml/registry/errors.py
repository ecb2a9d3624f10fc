"""Errors of the model registry.

RegistryError
 +-- VersionNotFound     no such version
 +-- VersionExists       versions never change
 +-- VersionUnusable     incomplete, or its files do not match its manifest
 +-- AliasUnset          no version was promoted, or there is none to roll back to
"""


class RegistryError(Exception):
    """The registry cannot carry out a request."""


class VersionNotFound(RegistryError):
    """No version has this name."""


class VersionExists(RegistryError):
    """A version has this name already."""


class VersionUnusable(RegistryError):
    """A version is incomplete, or its files do not match its manifest."""


class AliasUnset(RegistryError):
    """The alias names no version."""
