-- Writes the tags of resources that have none: new ones and those whose tags were dropped.
INSERT INTO integrations_tag (resource_id, type, key, value)
SELECT known.id, staged.resource_type, pair.key, pair.value
FROM integrations_stagedresource AS staged
JOIN integrations_resourcetype AS kind ON kind.integration_id = %(integration)s AND kind.type = staged.resource_type
JOIN integrations_resource AS known ON known.resource_type_id = kind.id AND known.source_id = staged.source_id
CROSS JOIN json_each(staged.tags) AS pair
WHERE staged.run_id = %(run)s AND staged.tags <> '{}' AND NOT EXISTS (
    SELECT 1 FROM integrations_tag AS kept WHERE kept.resource_id = known.id AND kept.key = pair.key
)
ON CONFLICT DO NOTHING
