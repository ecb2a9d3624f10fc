"""Let API keys that administrators made expire; those without an expiry end in a year."""

from alembic import op

revision = "0017_expire_api_keys"
down_revision = "0016_expire_overrides"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(
        "update api_key set expires_at = now() + interval '365 days' "
        "where expires_at is null and created_by is not null and revoked_at is null"
    )


def downgrade() -> None:
    # When a key expires is data: what it was before is not known any more.
    pass
