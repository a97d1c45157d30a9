-- Gives a login of ours a new password; the server is sent the verifier only.
-- needs: EXECUTE on latchkey
CALL latchkey.set_password(:'login', :'verifier');
