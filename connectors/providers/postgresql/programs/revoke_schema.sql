-- Takes from a login what we gave it on a schema.
-- needs: to be the role that gave it
REVOKE ALL ON SCHEMA :"schema" FROM :"login";
