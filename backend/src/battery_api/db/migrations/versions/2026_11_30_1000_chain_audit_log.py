"""Chain the rows of the audit log by hashes, each over the one before, and refuse to truncate it.

A trigger of the database writes position, time and hashes, so that no client, however it writes, can forge or skip
them. `accounts/audit_chain.py` computes the same hashes to verify them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014_audit_chain"
down_revision = "0013_flat_lines"
branch_labels = None
depends_on = None

_LOCK = 7_204_861_955  # any fixed number: writers of the audit log take turns on it until they commit
_CANONICAL = """
    jsonb_build_object(
        'id', {row}.id,
        'at', to_char({row}.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'actor', {row}.actor,
        'actor_id', {row}.actor_id,
        'action', {row}.action,
        'target', {row}.target,
        'address', {row}.address,
        'request_id', {row}.request_id,
        'data', {row}.data,
        'previous_hash', {row}.previous_hash
    )::text
"""
_HASH = f"encode(sha256(convert_to({_CANONICAL}, 'UTF8')), 'hex')"
_FIRST = "0" * 64


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("audit_log", sa.Column("previous_hash", sa.Text(), nullable=True))
    op.add_column("audit_log", sa.Column("hash", sa.Text(), nullable=True))
    op.execute("alter table audit_log disable trigger audit_log_append_only")
    op.execute(
        f"""
        do $$
        declare
            entry audit_log;
            last_hash text := '{_FIRST}';
        begin
            for entry in select * from audit_log order by id loop
                entry.previous_hash := last_hash;
                last_hash := {_HASH.format(row="entry")};
                update audit_log set previous_hash = entry.previous_hash, hash = last_hash where id = entry.id;
            end loop;
        end $$
        """
    )
    op.execute("alter table audit_log enable trigger audit_log_append_only")
    op.alter_column("audit_log", "previous_hash", nullable=False)
    op.alter_column("audit_log", "hash", nullable=False)
    op.create_unique_constraint(op.f("uq_audit_log_previous_hash"), "audit_log", ["previous_hash"])
    op.execute(
        f"""
        create function chain_audit_entry() returns trigger language plpgsql as $$
        declare
            newest audit_log;
        begin
            perform pg_advisory_xact_lock({_LOCK});
            select * into newest from audit_log order by id desc limit 1;
            new.id := coalesce(newest.id, 0) + 1;
            new.at := clock_timestamp();
            new.previous_hash := coalesce(newest.hash, '{_FIRST}');
            new.hash := {_HASH.format(row="new")};
            return new;
        end $$
        """
    )
    op.execute(
        "create trigger audit_log_chain before insert on audit_log for each row execute function chain_audit_entry()"
    )
    op.execute(
        "create trigger audit_log_keep before truncate on audit_log for each statement execute function refuse_change()"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop trigger audit_log_keep on audit_log")
    op.execute("drop trigger audit_log_chain on audit_log")
    op.execute("drop function chain_audit_entry()")
    op.drop_constraint(op.f("uq_audit_log_previous_hash"), "audit_log", type_="unique")
    op.drop_column("audit_log", "hash")
    op.drop_column("audit_log", "previous_hash")
    # The chain numbered the rows itself; the sequence goes on behind them.
    op.execute("select setval(pg_get_serial_sequence('audit_log', 'id'), greatest(1, (select max(id) from audit_log)))")
