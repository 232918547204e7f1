"""The command ``pullpass``: for people first, with --json where a script wants it."""
