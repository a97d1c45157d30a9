-- Takes from a login what we gave it on everything in a schema.
-- needs: to be the role that gave it, and a privilege on every table of the schema
REVOKE ALL ON ALL TABLES IN SCHEMA :"schema" FROM :"login";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA :"schema" FROM :"login";
