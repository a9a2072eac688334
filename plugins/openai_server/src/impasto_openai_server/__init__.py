"""OpenAI's image API for local models: programs written for that API make pictures on this machine instead.

It knows no model and no family. It reads the panels that other plugins registered, finds one that can do what was
asked, fills it in and follows the queue, all through the server's own HTTP API.
"""
