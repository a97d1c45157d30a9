-- OPTIONAL. Lets the connector give access to single schemas and tables of one database. For that it has to hold the
-- privileges itself, with the right to pass them on: with this file, whoever has the connector's password can read and
-- write everything in this database. Leave it out where whole databases are all that people ask for.
--
--   psql -d shop -v connector=latchkey -f 3_optional_schemas_and_tables.sql
--
-- It may be run again, and should be after a new role has begun to own tables: default privileges belong to owners.
\set ON_ERROR_STOP on
\if :{?connector} \else \set connector latchkey \endif
BEGIN;

GRANT CONNECT ON DATABASE :"DBNAME" TO :"connector" WITH GRANT OPTION;

-- What is there.
SELECT format('GRANT USAGE ON SCHEMA %I TO %I WITH GRANT OPTION', nspname, :'connector'),
       format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I WITH GRANT OPTION', nspname, :'connector'),
       format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO %I WITH GRANT OPTION', nspname, :'connector')
FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
ORDER BY nspname
\gexec

-- What will be there: for everybody who owns something here now.
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT USAGE ON SCHEMAS TO %I WITH GRANT OPTION', owner, :'connector'),
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I WITH GRANT OPTION', owner, :'connector'),
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT USAGE, SELECT ON SEQUENCES TO %I WITH GRANT OPTION', owner, :'connector')
FROM (
    SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = current_database()
    UNION SELECT pg_get_userbyid(nspowner) FROM pg_namespace
          WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    UNION SELECT pg_get_userbyid(relowner) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
          WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
) AS owners
WHERE owner <> 'pg_database_owner' AND pg_has_role(current_user, owner, 'USAGE')
ORDER BY owner
\gexec
COMMIT;
