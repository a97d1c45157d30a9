-- The databases of the server, and what everybody may do in them.
SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding,
       has_database_privilege(d.oid, 'CONNECT') AS may_connect,
       has_database_privilege(d.oid, 'CONNECT WITH GRANT OPTION') AS may_give_connect,
       array(
           SELECT privilege_type::text
           FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba)))
           WHERE grantee = 0
           ORDER BY 1
       ) AS everybody
FROM pg_database AS d
WHERE d.datallowconn AND NOT d.datistemplate
ORDER BY d.datname;
