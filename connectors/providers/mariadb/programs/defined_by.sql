-- The views, routines, triggers and events that work with the rights of a login of ours.
-- needs: EXECUTE on latchkey
CALL latchkey.defined_by(:'login');
