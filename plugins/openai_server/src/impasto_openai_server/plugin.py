"""The hooks of impasto-openai-server."""

__all__: list[str] = []
