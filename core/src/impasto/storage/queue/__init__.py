"""The queue in the database: how its items come in, are claimed, run, are moved, end and are removed.

`impasto.storage.queue.items` is the door; the other modules are the steps that it takes inside one transaction, and the
statements, each written once. Used by `impasto.queue`, which decides what is to be done.
"""
