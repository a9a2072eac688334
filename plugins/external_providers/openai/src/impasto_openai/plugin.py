"""The hooks of impasto-openai."""

__all__: list[str] = []
