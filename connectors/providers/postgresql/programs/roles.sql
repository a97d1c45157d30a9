-- Roles that a person may ask to be a member of (all, or those named), and what a membership would lead to. Predefined
-- roles are left out but for the ones that only look at the server; so are prepared roles and the logins of grants.
WITH RECURSIVE dangerous (oid, leads_to) AS (
    SELECT oid, rolname
    FROM pg_roles
    WHERE rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls
       OR rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files', 'pg_read_all_data',
                      'pg_write_all_data', 'pg_signal_backend', 'pg_create_subscription', 'pg_maintain',
                      'pg_checkpoint', 'pg_use_reserved_connections', 'pg_signal_autovacuum_worker')
    UNION
    SELECT m.member, d.leads_to
    FROM pg_auth_members AS m
    JOIN dangerous AS d ON d.oid = m.roleid
    -- Whoever makes a login administers it (16 and later); that leads nowhere.
    WHERE coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
       OR coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
)
SELECT r.rolname AS name, r.rolcanlogin AS can_login, pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION') AS may_give,
       (SELECT min(d.leads_to) FROM dangerous AS d WHERE d.oid = r.oid) AS leads_to,
       c.description AS comment
FROM pg_roles AS r
LEFT JOIN pg_shdescription AS c ON c.objoid = r.oid AND c.classoid = 'pg_authid'::regclass
WHERE (:'names'::text[] IS NULL OR r.rolname = ANY (:'names'::text[]))
  AND (r.rolname !~ '^pg_'
       OR r.rolname IN ('pg_monitor', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_stat_scan_tables'))
  AND r.rolname <> current_user
  AND NOT starts_with(coalesce(c.description, ''), 'latchkey level=')
  AND NOT starts_with(coalesce(c.description, ''), 'latchkey integration=')
  AND NOT starts_with(coalesce(c.description, ''), 'latchkey probe ')
ORDER BY r.rolname;
