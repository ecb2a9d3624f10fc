"""The whole gateway, as for the tests of alerts."""

from tests.alerts.conftest import alert_template, world

__all__ = ["alert_template", "world"]
