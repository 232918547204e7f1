"""Loads, saves or erases one credential, as a program: what a keyring is depends on its session.

Usage: shelf_program.py STORE NAME load|save|erase, the secret on standard input.
"""

import json
import os
import sys

from pullpass.errors import StoreError
from pullpass.secret import Secret
from pullpass.store.stores import Shelf


def main() -> None:
    store, name, action = sys.argv[1:]
    shelf = Shelf(store=store, name=name, environ=os.environ)
    try:
        if action == "save":
            given = json.loads(sys.stdin.read())
            shelf.save(given["username"], Secret(given["secret"]))
        if action == "erase":
            shelf.erase()
        found = shelf.load() if action == "load" else None
    except StoreError as error:
        print(json.dumps({"error": str(error)}))
        return
    shown = found and {"username": found.username, "secret": found.secret.reveal()}
    print(json.dumps({"found": shown}))


if __name__ == "__main__":
    main()
