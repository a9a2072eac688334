"""The hooks of impasto-starter."""
