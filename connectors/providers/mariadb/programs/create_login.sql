-- Makes the login of one grant and writes down whose it is.
-- needs: EXECUTE on latchkey
CALL latchkey.create_login(:'login', :'verifier', :'integration', :'person', :'grant_id', :'ends_at');
