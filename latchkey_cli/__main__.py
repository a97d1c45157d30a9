"""`python -m latchkey_cli` is the command `latchkey`."""

from latchkey_cli.command import main

if __name__ == "__main__":
    main()
