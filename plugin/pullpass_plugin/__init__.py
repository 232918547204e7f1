"""What plugs pullpass into a node. It knows the core; the core does not know it."""
