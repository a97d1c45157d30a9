"""The accounts of an AWS organization, by assignments of Identity Center."""
