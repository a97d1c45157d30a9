-- Marks what this run did not see. EXCEPT compares two sets as wholes; asking row by row would depend on what the
-- planner believes of tables that were filled a moment ago.
UPDATE integrations_resource SET status = 'missing'
WHERE id IN (
    SELECT id FROM integrations_resource WHERE integration_id = %(integration)s AND status = 'active'
    EXCEPT
    SELECT known.id
    FROM integrations_stagedresource AS staged
    JOIN integrations_resourcetype AS kind ON kind.integration_id = %(integration)s AND kind.type = staged.resource_type
    JOIN integrations_resource AS known ON known.resource_type_id = kind.id AND known.source_id = staged.source_id
    WHERE staged.run_id = %(run)s
)
