-- Ends the membership of a login of ours.
-- needs: ADMIN OPTION on the role
REVOKE :"role" FROM :"login";
