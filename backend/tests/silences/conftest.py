"""The small fleet of the alerts' tests: its alerts become the incidents that silences hide."""

from tests.alerts.conftest import alert_template, world

__all__ = ["alert_template", "world"]
