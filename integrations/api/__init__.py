"""The API of integrations and connectors: documents of the published contracts in and out."""
