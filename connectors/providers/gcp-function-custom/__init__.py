"""A Cloud Run function of your own, called with an identity token."""
