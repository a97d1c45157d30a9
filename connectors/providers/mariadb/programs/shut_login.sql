-- Locks a login of ours. Sessions that are open live on until they are ended.
-- needs: EXECUTE on latchkey
CALL latchkey.shut_login(:'login');
