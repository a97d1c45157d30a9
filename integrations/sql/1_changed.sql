-- Rewrites what is known and differs, or was missing and is back. What is the same is not touched.
UPDATE integrations_resource AS known
SET name = staged.name, path = staged.path, status = 'active', risk_level = staged.risk_level,
    context = staged.context, refusals = staged.refusals, fingerprint = staged.fingerprint
FROM integrations_stagedresource AS staged
JOIN integrations_resourcetype AS kind ON kind.integration_id = %(integration)s AND kind.type = staged.resource_type
WHERE staged.run_id = %(run)s AND known.resource_type_id = kind.id AND known.source_id = staged.source_id
  AND (known.fingerprint <> staged.fingerprint OR known.status <> 'active')
