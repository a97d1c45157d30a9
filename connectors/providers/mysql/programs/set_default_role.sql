-- Says which role of a login of ours is active after signing in: all that it is in, or none (NULL).
-- needs: EXECUTE on latchkey
CALL latchkey.set_default_role(:'login', :'role');
