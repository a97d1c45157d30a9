-- Makes the connector's role. Run it once per server, as a superuser or another role that may make roles:
--
--   psql -d postgres -v connector=latchkey -f 1_connector.sql
--
-- It may be run again. At its end psql asks for the role's new password, unless -v ask_password=off says not to.
-- The role may make logins (CREATEROLE) and nothing else. Up to PostgreSQL 15, CREATEROLE is as good as superuser.
\set ON_ERROR_STOP on
\if :{?connector} \else \set connector latchkey \endif
\if :{?ask_password} \else \set ask_password on \endif

SELECT format('CREATE ROLE %I', :'connector')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'connector')
\gexec
ALTER ROLE :"connector" LOGIN INHERIT CREATEROLE;
COMMENT ON ROLE :"connector" IS 'The connector of Latchkey: makes logins for grants, and shuts them';

\if :ask_password
\password :connector
\endif
