"""An AWS of our own for tests: moto's server, which enforces IAM, and what of IAM's rules moto leaves out."""
