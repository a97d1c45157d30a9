"""Admin pages that act: the catalogue, connecting, one integration, connectors, the inventory."""
