-- Prepares one database: makes a role per level (read only, read and write, admin), gives it its privileges on what is
-- there and on what will be there, and lets the connector hand out exactly these roles. A fourth role, the keeper, gets
-- what people made when their access ends; it may read nothing, so that a view or function they leave behind cannot
-- either. Run it once in every database that people may ask for, as a superuser, or as the owner of the database and of everything in it with CREATEROLE:
--
--   psql -d shop -v connector=latchkey -f 2_database.sql
--
-- It may be run again, and should be after a new role has begun to own tables: default privileges belong to owners.
\set ON_ERROR_STOP on
\if :{?connector} \else \set connector latchkey \endif
BEGIN;

-- The names are cut to what PostgreSQL can hold; the comment below, not the name, says what a role is for.
SELECT format('latchkey_read_only_%s', suffix) AS read_only,
       format('latchkey_read_write_%s', suffix) AS read_write,
       format('latchkey_admin_%s', suffix) AS admin,
       format('latchkey_keeper_%s', suffix) AS keeper,
       current_setting('server_version_num')::int >= 160000 AS membership_has_options
FROM (
    SELECT left(regexp_replace(lower(current_database() COLLATE "C"), '[^a-z0-9]+', '_', 'g'), 28)
           || '_' || left(md5(current_database()), 8) AS suffix
) AS naming
\gset

SELECT format('CREATE ROLE %I NOLOGIN', name)
FROM unnest(ARRAY[:'read_only', :'read_write', :'admin', :'keeper']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
SELECT format('COMMENT ON ROLE %I IS %L', role, 'latchkey level=' || level || ' database=' || current_database())
FROM (VALUES (:'read_only', 'READ_ONLY'), (:'read_write', 'READ_WRITE'), (:'admin', 'ADMIN'), (:'keeper', 'KEEPER'))
     AS prepared (role, level)
\gexec

GRANT CONNECT ON DATABASE :"DBNAME" TO :"read_only", :"read_write";
GRANT ALL ON DATABASE :"DBNAME" TO :"admin";
-- A schema can be handed over only by somebody who could make one.
GRANT CREATE ON DATABASE :"DBNAME" TO :"keeper";
-- Whoever has ADMIN goes on with what others made.
GRANT :"keeper" TO :"admin";

-- What is there. ADMIN has every privilege but TRIGGER: code that hangs on somebody else's table runs with the rights of
-- whoever uses it, also after the one who hung it there has gone.
SELECT format('GRANT USAGE ON SCHEMA %I TO %I, %I', nspname, :'read_only', :'read_write'),
       format('GRANT ALL ON SCHEMA %I TO %I, %I', nspname, :'admin', :'keeper'),
       format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', nspname, :'read_only'),
       format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO %I', nspname, :'read_only'),
       format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', nspname, :'read_write'),
       format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO %I', nspname, :'read_write'),
       format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES ON ALL TABLES IN SCHEMA %I TO %I', nspname, :'admin'),
       format('GRANT ALL ON ALL SEQUENCES IN SCHEMA %I TO %I', nspname, :'admin'),
       format('GRANT ALL ON ALL ROUTINES IN SCHEMA %I TO %I', nspname, :'admin')
FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
ORDER BY nspname
\gexec

-- What will be there: for everybody who owns something here now.
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT USAGE ON SCHEMAS TO %I, %I', owner, :'read_only', :'read_write'),
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT ALL ON SCHEMAS TO %I, %I', owner, :'admin', :'keeper'),
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT ON TABLES TO %I', owner, :'read_only'),
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT ON SEQUENCES TO %I', owner, :'read_only'),
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', owner, :'read_write'),
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT USAGE, SELECT ON SEQUENCES TO %I', owner, :'read_write'),
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES ON TABLES TO %I', owner, :'admin'),
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT ALL ON SEQUENCES TO %I', owner, :'admin'),
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT ALL ON ROUTINES TO %I', owner, :'admin')
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

-- The connector may hand the roles out. From 16 on it need not have what it hands out.
\if :membership_has_options
GRANT :"read_only", :"read_write", :"admin", :"keeper" TO :"connector" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
\else
GRANT :"read_only", :"read_write", :"admin", :"keeper" TO :"connector" WITH ADMIN OPTION;
\endif
COMMIT;
