-- The roles that somebody in one of these roles is in, the role itself included.
-- needs: SELECT on latchkey
WITH RECURSIVE paths (role, leads_to) AS (
    SELECT a.user, a.user FROM latchkey.accounts AS a WHERE a.is_role AND a.user IN :'names'
    UNION
    SELECT p.role, m.role
    FROM paths AS p
    JOIN latchkey.accounts AS a ON a.user = p.leads_to AND a.is_role
    JOIN latchkey.memberships AS m ON m.user = a.user AND m.host = a.host
)
SELECT role, leads_to FROM paths;
