"""RabbitMQ over its management API: a user per grant, with permissions that name what they open, exactly."""
