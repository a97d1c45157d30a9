-- Gives what a login owns in this database to its keeper, so that nothing people made is ever dropped.
-- needs: superuser
REASSIGN OWNED BY :"login" TO :"keeper";
