"""A Lambda function of your own, invoked by the connector's role."""
