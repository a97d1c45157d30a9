-- Adds what is new. A resource that came twice is one row: the unique index lets the second pass.
INSERT INTO integrations_resource (
    integration_id, resource_type_id, source_id, name, path, status, risk_level, context, refusals, fingerprint
)
SELECT kind.integration_id, kind.id, staged.source_id, staged.name, staged.path, 'active', staged.risk_level,
       staged.context, staged.refusals, staged.fingerprint
FROM integrations_stagedresource AS staged
JOIN integrations_resourcetype AS kind ON kind.integration_id = %(integration)s AND kind.type = staged.resource_type
WHERE staged.run_id = %(run)s AND NOT EXISTS (
    SELECT 1 FROM integrations_resource AS known
    WHERE known.resource_type_id = kind.id AND known.source_id = staged.source_id
)
ON CONFLICT DO NOTHING
