"""The registry's side of a pull: its challenge, a puller, and a small registry of our own."""
