#!/bin/sh
# Runs once, when the database's volume is empty: makes the role that migrates and owns everything, and the one that
# serves and owns nothing. The statements mean the same as those of launcher/src/battery_launcher/database_roles.py.
# psql reads the passwords itself: as arguments they would be seen in the list of processes.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set owner_password `cat "${SECRETS_DIR:-/run/secrets}/database_owner_password"`
\set runtime_password `cat "${SECRETS_DIR:-/run/secrets}/database_runtime_password"`
set password_encryption = 'scram-sha-256';
create role battery_owner
    login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'owner_password';
create role battery_runtime
    login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'runtime_password';
select format('alter database %I owner to battery_owner', current_database()) \gexec
alter schema public owner to battery_owner;
revoke create on schema public from public;
SQL
