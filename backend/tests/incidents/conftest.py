"""The small fleet of the alerts' tests: its alerts become the incidents of these."""

from tests.alerts.conftest import alert_template, world

__all__ = ["alert_template", "world"]
