"""OpenAI's image models: a provider, its node and its panel."""
