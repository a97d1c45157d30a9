-- Gives what a login owns in this database to its keeper, so that nothing people made is ever dropped. The connector is a
-- member of the login for the length of this transaction; of the keeper it is one (up to 15).
-- needs: CREATEROLE, membership in the keeper, and for the keeper CREATE on the database and the schemas concerned
GRANT :"login" TO CURRENT_USER;
REASSIGN OWNED BY :"login" TO :"keeper";
REVOKE :"login" FROM CURRENT_USER;
