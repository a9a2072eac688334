"""The hooks of impasto-gemini."""

__all__: list[str] = []
