"""Let overrides of alert rules end by themselves, and keep why they were made.

What weakens a life-safety rule beyond its floor ends 30 days from now, unless an administrator renews it with a reason.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016_expire_overrides"
down_revision = "0015_login_devices"
branch_labels = None
depends_on = None


# Rule, whether it raises above its limit, floor, default distance of raise and clear value, longest hold.
_LIFE_SAFETY = """
    ('voltage_low.danger', false, 1.0, -4.0, 60.0),
    ('voltage_high.danger', true, 16.5, 1.0, 60.0),
    ('temperature_high.stop_charge', true, 55.0, 2.0, 300.0),
    ('temperature_high.danger', true, 65.0, 5.0, 60.0),
    ('temperature_deviation.room_critical', true, 12.0, 1.0, 600.0),
    ('current_high.float_critical', true, 10.0, 2.0, 600.0),
    ('current_high.charge_critical', true, 90.0, 6.0, 60.0),
    ('current_high.danger', true, 1500.0, 100.0, 60.0)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("alert_rule_override", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("alert_rule_override", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        f"""
        update alert_rule_override o set expires_at = now() + interval '30 days'
        from (values {_LIFE_SAFETY}) as floor (rule_id, raises_above, raise_value, width, hold_s)
        where floor.rule_id = o.rule_id and (
            o.enabled = false
            or o.hold_s > floor.hold_s
            or case when floor.raises_above
                then coalesce(o.raise_value, o.clear_value + floor.width) > floor.raise_value
                else coalesce(o.raise_value, o.clear_value + floor.width) < floor.raise_value
            end
        )
        """
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("alert_rule_override", "expires_at")
    op.drop_column("alert_rule_override", "reason")
