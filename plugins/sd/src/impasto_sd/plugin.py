"""The hooks of impasto-sd."""
