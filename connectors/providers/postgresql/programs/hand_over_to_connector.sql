-- Gives what a login owns in this database to the connector, where no other keeper is prepared. The connector is a
-- member of the login for the length of this transaction (16 and later).
-- needs: ADMIN OPTION on the login, and CREATE on the schemas concerned
GRANT :"login" TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
REASSIGN OWNED BY :"login" TO CURRENT_USER;
REVOKE :"login" FROM CURRENT_USER GRANTED BY CURRENT_USER;
