-- Takes from a login what we gave it on a table.
-- needs: to be the role that gave it
REVOKE ALL ON TABLE :"schema".:"table" FROM :"login";
