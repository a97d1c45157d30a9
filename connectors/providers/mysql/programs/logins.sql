-- The logins that bear a person's marker, and those that have one of these names, whosever they are. `locked` is NULL
-- where the account is not there any more.
-- needs: SELECT on latchkey
SELECT l.login, l.integration, l.person, l.grant_id, l.ends_at, a.locked
FROM latchkey.logins AS l
LEFT JOIN latchkey.accounts AS a ON a.user = l.login AND a.host = '%'
WHERE (l.integration = :'integration' AND l.person = :'person') OR l.login IN :'names';
