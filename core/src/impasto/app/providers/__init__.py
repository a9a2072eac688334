"""External providers as the server knows them: what is set of them, their models, places, meters, and a test of a key.

`service` is what routes and commands ask; `desk` is what workers are given places by; the others are its parts.
"""
