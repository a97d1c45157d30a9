-- Makes a login a member that has the role's privileges, but cannot become the role (16 and later).
-- needs: ADMIN OPTION on the role
GRANT :"role" TO :"login" WITH INHERIT TRUE, SET FALSE;
