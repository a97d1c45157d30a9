-- Makes the login of one grant and says whose it is; both or neither.
-- needs: CREATEROLE
CREATE ROLE :"login" LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    PASSWORD :'verifier' VALID UNTIL :'ends_at';
COMMENT ON ROLE :"login" IS :'marker';
