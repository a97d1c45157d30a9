"""The older addresses: older Terraform providers, and programs that speak the first versions."""
