"""The reasons that the Gemini API gives when its rules let no picture through, in words for the person who asked.

Names and meanings are those of ``BlockReason`` and ``FinishReason`` in https://ai.google.dev/api/generate-content .
"""

from collections.abc import Mapping

__all__ = ["BLOCKED_PROMPTS", "REFUSED_ANSWERS"]

#: Why a prompt, or a picture that came with it, was not worked on.
BLOCKED_PROMPTS: Mapping[str, str] = {
    "SAFETY": "it goes against the service's safety rules",
    "IMAGE_SAFETY": "a picture of it would go against the service's safety rules",
    "PROHIBITED_CONTENT": "it asks for something that the service forbids",
    "BLOCKLIST": "it has a term that the service forbids",
    "JAILBREAK": "it looks like an attempt to get round the service's rules",
    "MODEL_ARMOR": "the account's own filter stopped it",
    "OTHER": "the service does not say why; its language may be one that the service does not know",
}
#: Why an answer was withheld.
REFUSED_ANSWERS: Mapping[str, str] = {
    "SAFETY": "it goes against the service's safety rules",
    "IMAGE_SAFETY": "it goes against the service's safety rules",
    "PROHIBITED_CONTENT": "it has something that the service forbids",
    "IMAGE_PROHIBITED_CONTENT": "it has something that the service forbids",
    "RECITATION": "it is too close to something that exists already",
    "IMAGE_RECITATION": "it is too close to a picture that exists already",
    "BLOCKLIST": "it has a term that the service forbids",
    "SPII": "it may tell personal data",
    "MODEL_ARMOR": "the account's own filter stopped it",
    "ESCALATION": "one of the service's rules stopped it",
    "PUP_LIMITED_DISABLED": "the account is limited for having broken the service's rules of use",
}
