"""Everything that outlives the process: the database, the pictures and the tensors of sessions.

The only floor that speaks SQL or opens a picture. This module imports nothing, so that a worker may use
`impasto.storage.pictures` without loading a database library.
"""
