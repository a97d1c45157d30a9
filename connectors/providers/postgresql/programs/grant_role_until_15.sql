-- Makes a login a member (up to 15, where a member can also become the role).
-- needs: ADMIN OPTION on the role
GRANT :"role" TO :"login";
