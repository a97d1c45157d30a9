-- Lets a login of ours in until a moment, in seconds since the epoch.
-- needs: EXECUTE on latchkey
CALL latchkey.open_login(:'login', :'ends_at');
