"""What can be wrong with a model.

RegistryError
 +-- VersionNotFound     no such version
 +-- VersionExists       versions never change
 +-- VersionUnusable     half written, or its files are not those of its manifest
 +-- AliasUnset          nobody was promoted, or there is nothing to go back to
"""


class RegistryError(Exception):
    """The registry cannot do what was asked."""


class VersionNotFound(RegistryError):
    """No version has this name."""


class VersionExists(RegistryError):
    """A version has this name already."""


class VersionUnusable(RegistryError):
    """A version cannot be used as it lies there."""


class AliasUnset(RegistryError):
    """The alias names no version."""
