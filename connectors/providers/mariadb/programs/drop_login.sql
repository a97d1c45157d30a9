-- Removes a login of ours, unless something works with its rights.
-- needs: EXECUTE on latchkey
CALL latchkey.drop_login(:'login');
