"""API objects of a Kubernetes cluster: bindings of roles, and service accounts that they are for."""
