-- Gives a login of ours a new password; the server is sent the verifier only.
-- needs: CREATEROLE and ADMIN OPTION on the login
ALTER ROLE :"login" PASSWORD :'verifier';
