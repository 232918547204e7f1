"""``python -m pullpass.registry.embedded HOST PORT``: how the demo runs it."""

import sys

from pullpass.config.model import Listener
from pullpass.serving import serve

if __name__ == "__main__":
    host, port = sys.argv[1:]
    listener = Listener(host=host, port=int(port), certificate=None, private_key=None)
    serve("pullpass.registry.embedded:create", listener)
