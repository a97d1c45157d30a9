"""Secret stores, one file each."""
