-- Takes every privilege and every role from a login of ours, whoever gave them.
-- needs: EXECUTE on latchkey
CALL latchkey.revoke_everything(:'login');
