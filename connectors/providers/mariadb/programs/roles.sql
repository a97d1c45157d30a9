-- The roles of the server, and whether the connector may give them.
-- needs: SELECT on latchkey
SELECT a.user AS name, COALESCE(MAX(m.with_admin), 0) AS may_give
FROM latchkey.accounts AS a
LEFT JOIN latchkey.memberships AS m
       ON m.role = a.user AND CONCAT(m.user, '@', m.host) = CURRENT_USER()
WHERE a.is_role
GROUP BY a.user
ORDER BY CAST(a.user AS BINARY);
