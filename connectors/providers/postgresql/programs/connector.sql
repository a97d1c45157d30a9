-- The connector's own role and what it may do.
SELECT rolname AS name, rolsuper AS is_superuser, rolcreaterole AS may_make_roles
FROM pg_roles
WHERE rolname = current_user;
