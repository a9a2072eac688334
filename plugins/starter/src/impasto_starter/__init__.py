"""A small Stable Diffusion that obeys prompts, shipped as weights."""
