"""Stable Diffusion nodes, loaders and panels on diffusers."""
