"""``python -m pullpass``: the command, where its script is not on the PATH."""

from pullpass.cli.main import main

if __name__ == "__main__":
    main()
