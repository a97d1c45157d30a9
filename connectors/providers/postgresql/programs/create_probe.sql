-- Makes a login that may do nothing, to try whether the server asks it for its password.
-- needs: CREATEROLE
CREATE ROLE :"login" LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    CONNECTION LIMIT 2 PASSWORD :'verifier' VALID UNTIL :'ends_at';
COMMENT ON ROLE :"login" IS :'marker';
