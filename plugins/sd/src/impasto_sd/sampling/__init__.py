"""The denoise loop and what it is made of. Imports torch, so nodes import it inside `invoke`."""
