"""The command line of Latchkey. It stands alone: no Django, and no other package of this repository."""

# Who we say we are where a client has a name: at sign-in, and where credentials are handed out.
NAME = "latchkey-cli"
