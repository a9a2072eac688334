"""The hooks of impasto-image."""
