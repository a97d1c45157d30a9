"""What programs ask of this app over HTTP."""
