"""Gemini images: node, panel and models."""
