"""Prompts: what their words weigh (`syntax`, pure), and what a text encoder makes of them (`encoder`, torch)."""
