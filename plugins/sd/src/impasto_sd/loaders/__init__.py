"""How the weights of a diffusers folder become loaded models."""
