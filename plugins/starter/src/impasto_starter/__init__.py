"""A small Stable Diffusion that obeys prompts, shipped as weights in `model/`.

There is no code here that draws: the model is a diffusers folder, and whichever plugin loads such folders runs it.
"""

__all__: list[str] = []
