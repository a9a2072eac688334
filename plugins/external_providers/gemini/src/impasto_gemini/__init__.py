"""Pictures by Google's Gemini models, made by the Gemini API: a provider, its node and its panel.

`plugin` names everything to the platform. What is sent is in `request_body`, what comes back in `answer` and
`failures`, what models there are in `models`. The modules that `plugin` reaches import no HTTP client.
"""
