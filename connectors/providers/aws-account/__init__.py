"""One AWS account: an IAM user per grant, with a policy of its own."""
