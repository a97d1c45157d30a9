"""A real target for every provider, one file each: what connectors.vet.live tells its stories on."""
