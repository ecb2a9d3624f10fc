"""Let a role that owns nothing keep the partitions of the time series, by functions that do just that."""

from alembic import op

revision = "0018_partition_functions"
down_revision = "0017_expire_api_keys"
branch_labels = None
depends_on = None

_SERIES = "'telemetry', 'string_telemetry', 'site_environment'"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(
        f"""
        create function create_month_partition(series text, month timestamptz) returns void
        language plpgsql security definer set search_path = pg_catalog, public set timezone = 'UTC' as $$
        declare
            start timestamptz := date_trunc('month', month);
        begin
            if series not in ({_SERIES}) then
                raise exception 'no time series %', series using errcode = 'invalid_parameter_value';
            end if;
            execute format(
                'create table if not exists public.%I partition of public.%I for values from (%L) to (%L)',
                series || '_p' || to_char(start, 'YYYYMM'), series, start, start + interval '1 month'
            );
        end $$
        """
    )
    op.execute(
        f"""
        create function drop_month_partition(name text) returns void
        language plpgsql security definer set search_path = pg_catalog, public as $$
        begin
            if regexp_replace(name, '_p[0-9]{{6}}$', '') not in ({_SERIES}) or name !~ '_p[0-9]{{6}}$' then
                raise exception 'no partition %', name using errcode = 'invalid_parameter_value';
            end if;
            execute format('drop table if exists public.%I', name);
        end $$
        """
    )
    op.execute("revoke execute on function create_month_partition(text, timestamptz) from public")
    op.execute("revoke execute on function drop_month_partition(text) from public")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop function create_month_partition(text, timestamptz)")
    op.execute("drop function drop_month_partition(text)")
