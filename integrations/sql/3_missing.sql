-- Marks what this run did not see.
UPDATE integrations_resource SET status = 'missing'
WHERE integration_id = %(integration)s AND status = 'active' AND NOT EXISTS (
    SELECT 1
    FROM integrations_stagedresource AS staged
    JOIN integrations_resourcetype AS kind ON kind.integration_id = %(integration)s AND kind.type = staged.resource_type
    WHERE staged.run_id = %(run)s AND kind.id = integrations_resource.resource_type_id
      AND staged.source_id = integrations_resource.source_id
)
