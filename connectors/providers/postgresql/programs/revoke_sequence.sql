-- Takes from a login what we gave it on a sequence.
-- needs: to be the role that gave it
REVOKE ALL ON SEQUENCE :"schema".:"sequence" FROM :"login";
