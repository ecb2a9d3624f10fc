"""Roles of the embedded database: one that sets it up, one that owns the tables, one that serves and owns nothing."""

from dataclasses import dataclass, field

SUPERUSER = "postgres"
OWNER = "battery_owner"
RUNTIME = "battery_runtime"


@dataclass(frozen=True, slots=True)
class DatabasePasswords:
    """Passwords of the three roles."""

    superuser: str = field(repr=False)
    owner: str = field(repr=False)
    runtime: str = field(repr=False)


def role_statements(database: str, passwords: DatabasePasswords) -> str:
    """Return the SQL, for the superuser in the platform's database, that makes the roles or corrects them.

    Tables of an installation from before, which the superuser owned, go to the owner.
    """
    powers = "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls"
    return f"""
        set password_encryption = 'scram-sha-256';
        do $$
        begin
            if to_regrole('{OWNER}') is null then create role {OWNER}; end if;
            if to_regrole('{RUNTIME}') is null then create role {RUNTIME}; end if;
        end $$;
        alter role {OWNER} {powers} password {_literal(passwords.owner)};
        alter role {RUNTIME} {powers} password {_literal(passwords.runtime)};
        alter database {database} owner to {OWNER};
        alter schema public owner to {OWNER};
        revoke create on schema public from public;
        do $$
        declare
            item text;
        begin
            for item in
                select format('table %s', c.oid::regclass) from pg_class c
                where c.relnamespace = 'public'::regnamespace and c.relowner = '{SUPERUSER}'::regrole
                    and c.relkind in ('r', 'p', 'v', 'm')
                union all
                select format('function %s', p.oid::regprocedure) from pg_proc p
                where p.pronamespace = 'public'::regnamespace and p.proowner = '{SUPERUSER}'::regrole
                    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
            loop
                execute format('alter %s owner to {OWNER}', item);
            end loop;
        end $$;
    """  # noqa: S608  # constants and quoted passwords


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
