-- The open sessions of these logins of ours, named with commas between them.
-- needs: EXECUTE on latchkey
CALL latchkey.sessions(:'logins');
