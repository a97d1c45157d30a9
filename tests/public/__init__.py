"""The public admin API and the Terraform API."""
