"""OpenAI's image API for local models."""
