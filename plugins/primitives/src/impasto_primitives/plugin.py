"""The hooks of impasto-primitives."""
