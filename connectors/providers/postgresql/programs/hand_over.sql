-- Gives what a login owns in this database to its keeper, so that nothing people made is ever dropped. The connector is a
-- member of both for the length of this transaction (16 and later).
-- needs: ADMIN OPTION on the login and on the keeper, and for the keeper CREATE on the database and the schemas concerned
GRANT :"login" TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
GRANT :"keeper" TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
REASSIGN OWNED BY :"login" TO :"keeper";
REVOKE :"keeper" FROM CURRENT_USER GRANTED BY CURRENT_USER;
REVOKE :"login" FROM CURRENT_USER GRANTED BY CURRENT_USER;
