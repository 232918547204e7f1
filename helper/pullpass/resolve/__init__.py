"""Registry or image in, credential out: the one use case behind every door.

Nothing is written but the audit, nothing is kept. «Not found» means that no entry speaks of what
was asked.
"""
