"""OpenAI images: node, panel and models."""
