-- Ends the open sessions of a login of ours.
-- needs: EXECUTE on latchkey
CALL latchkey.end_sessions(:'login');
