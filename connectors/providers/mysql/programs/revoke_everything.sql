-- Takes every privilege from a login of ours, whoever gave it; roles stay.
-- needs: EXECUTE on latchkey
CALL latchkey.revoke_everything(:'login');
