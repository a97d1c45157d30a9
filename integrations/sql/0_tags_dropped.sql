-- Drops the tags of resources that changed; 4_tags_kept writes them anew.
DELETE FROM integrations_tag WHERE resource_id IN (
    SELECT known.id
    FROM integrations_stagedresource AS staged
    JOIN integrations_resourcetype AS kind ON kind.integration_id = %(integration)s AND kind.type = staged.resource_type
    JOIN integrations_resource AS known ON known.resource_type_id = kind.id AND known.source_id = staged.source_id
    WHERE staged.run_id = %(run)s AND known.fingerprint <> staged.fingerprint
)
