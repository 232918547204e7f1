"""``python -m pullpass.credhelper``: the full program, which asks no agent. Launchers start it."""

from pullpass.credhelper.cli import main

if __name__ == "__main__":
    main()
