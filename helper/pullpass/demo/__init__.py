"""The whole chain on loopback: real programs, a real pull, each step shown, the promise proved."""
