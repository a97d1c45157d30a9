-- One table and the sequences its columns own: no row means no table.
SELECT c.relname AS name, sn.nspname AS sequence_schema, s.relname AS sequence
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_depend AS d
    ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.classid = 'pg_class'::regclass
    AND d.deptype = 'a' AND EXISTS (SELECT FROM pg_class WHERE oid = d.objid AND relkind = 'S')
LEFT JOIN pg_class AS s ON s.oid = d.objid
LEFT JOIN pg_namespace AS sn ON sn.oid = s.relnamespace
WHERE n.nspname = :'schema' AND c.relname = :'table' AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
