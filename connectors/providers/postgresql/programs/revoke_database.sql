-- Takes from a login what we gave it on a database.
-- needs: to be the role that gave it
REVOKE ALL ON DATABASE :"database" FROM :"login";
