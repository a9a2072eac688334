"""Why a secret cannot be set, removed or stored."""

from impasto.errors.root import CoreError
from impasto_sdk.errors import InvocationError

__all__ = ["SecretError", "SecretFromEnvironmentError", "SecretInDataError"]


class SecretError(CoreError):
    """A secret cannot be set. `name` is the secret's; `problem` what is wrong, without a word of the secret itself."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"secret {name!r}: {problem}")
        self.name = name
        self.problem = problem


class SecretFromEnvironmentError(SecretError):
    """A secret cannot be set or removed, because the environment holds it. `variable` is the variable's name."""

    def __init__(self, name: str, variable: str) -> None:
        super().__init__(
            name,
            f"the environment variable {variable} holds it, which goes before the file; change it there, or take it "
            f"out and start the server anew",
        )
        self.variable = variable


class SecretInDataError(CoreError, InvocationError):
    """A node was about to store bytes, a picture perhaps, that hold a secret. Nothing was stored."""

    def __init__(self) -> None:
        super().__init__(
            "what was to be stored holds a key of this server in its data, where whoever downloads it would find it, "
            "so it was not stored"
        )
