"""One folder is one provider, whole."""
