-- Lets a login draw numbers from a sequence, so that rows can be inserted into the table it belongs to.
-- needs: USAGE WITH GRANT OPTION on the sequence
GRANT USAGE ON SEQUENCE :"schema".:"sequence" TO :"login";
