"""`SecretVault`: the secrets of this server, where each is from, and which plugin may see which.

They live in the server: a worker asks for one when a node does, and is given it only while it runs a session with a
node of the plugin that declared it. The environment goes before the file: what an operator has decided there, nobody
changes over the network.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Literal

from impasto.errors import SecretError, SecretFromEnvironmentError
from impasto.host.contributions import Contributions
from impasto.host.mask import Mask
from impasto.storage.secret_file import SecretFile
from impasto_sdk.errors import SecretNotFoundError

__all__ = ["SECRET_PREFIX", "SecretOrigin", "SecretVault", "secrets_in"]

#: How the variables that hold secrets begin; the rest is the secret's name in upper case.
SECRET_PREFIX = "IMPASTO_SECRET_"  # noqa: S105 - a name, not a secret

SecretOrigin = Literal["environment", "file"]


def secrets_in(environment: Mapping[str, str]) -> dict[str, str]:
    """The secrets that are set in `environment`, by name in lower case; those that are empty are not set."""
    named = {name: value for name, value in environment.items() if name.startswith(SECRET_PREFIX)}
    return _trimmed({name.removeprefix(SECRET_PREFIX).lower(): value for name, value in named.items()})


class SecretVault:
    """Holds the secrets, for any thread. Those of the file are there once it was loaded."""

    def __init__(
        self, contributions: Contributions, file: SecretFile, environment: Mapping[str, str], mask: Mask | None = None
    ) -> None:
        """`mask`: from now on it hides all that is or was held here; without one, the vault has its own."""
        self.mask = Mask() if mask is None else mask
        self._declared: dict[str, set[str]] = {}
        for secret in contributions.secrets:
            self._declared.setdefault(secret.plugin.name, set()).add(secret.value.name)
        self._plugins = {each.value.spec.type: each.plugin.name for each in contributions.invocations}
        self._file = file
        self._environment = secrets_in(environment)
        #: What stands in the file; replaced as a whole.
        self._stored: dict[str, str] = {}
        self._listeners: list[Callable[[str], object]] = []
        self._writing = threading.Lock()
        self._hide()

    def load(self) -> None:
        """Read the file. Raises `SettingsError` when it cannot be read or makes no sense."""
        with self._writing:
            self._take(self._file.read())

    def get(self, name: str) -> str | None:
        """The secret; None: it is not set."""
        return self._environment.get(name.lower()) or self._stored.get(name)

    def source_of(self, name: str) -> SecretOrigin | None:
        """Where the secret is from; None: it is not set."""
        if self._environment.get(name.lower()):
            return "environment"
        return "file" if self._stored.get(name) else None

    def set(self, name: str, value: str) -> None:
        """Write a secret into the file; blanks around it are left out. It counts when this returns.

        Raises `SecretFromEnvironmentError` where it would not count, `SecretError` for a value that is no secret, and
        what `SecretFile` raises.
        """
        value = value.strip()
        self._refuse_from_environment(name)
        if not value or not value.isprintable():
            problem = "has characters that cannot be seen, a line break perhaps" if value else "is empty"
            raise SecretError(name, f"{problem}; give it as the service shows it")
        self.mask.add(value)  # before it can be anywhere
        with self._writing:
            with self._file.changing() as stored:
                stored[name] = value
            changed = self._take(stored)
        self._tell(name, *changed)

    def remove(self, name: str) -> bool:
        """Take a secret out of the file; whether one was there. It is hidden all the same until the server ends.

        Raises `SecretFromEnvironmentError` where the environment holds it, and what `SecretFile` raises.
        """
        self._refuse_from_environment(name)
        with self._writing:
            with self._file.changing() as stored:
                removed = stored.pop(name, None)
            changed = self._take(stored)
        self._tell(name, *changed)
        return bool(removed)

    def declared_by(self, plugin: str) -> Collection[str]:
        """Names of the secrets that a plugin has, those of its external providers among them."""
        return self._declared.get(plugin, ())

    def plugins_of(self, node_types: Collection[str]) -> Collection[str]:
        """The plugins that these node types come from; types that there are not come from none."""
        return {plugin for plugin in map(self._plugins.get, node_types) if plugin is not None}

    def values(self) -> Collection[str]:
        """Every secret that is set, whoever declared it: what is not to be seen anywhere."""
        return {*self._environment.values(), *self._stored.values()}

    def reveal(self, plugin: str, name: str) -> str | None:
        """A plugin's secret; None: it is not set. Raises `SecretNotFoundError` when the plugin has none of the name."""
        if name not in self.declared_by(plugin):
            raise SecretNotFoundError(name, f"plugin {plugin!r} does not declare it with register_secrets")
        return self.get(name)

    def add_listener(self, listener: Callable[[str], object]) -> None:
        """Have `listener(name)` called after each `set` and `remove`, on the thread that called it.

        It is called for every name that has another secret than before: others may have written the file meanwhile.
        """
        self._listeners.append(listener)

    def _refuse_from_environment(self, name: str) -> None:
        if name.lower() in self._environment:
            raise SecretFromEnvironmentError(name, f"{SECRET_PREFIX}{name.upper()}")

    def _take(self, stored: Mapping[str, str]) -> Collection[str]:
        """What stands in the file counts from now on; gives the names that have another secret than before."""
        before, self._stored = self._stored, _trimmed(stored)
        self._hide()
        return [name for name in {**before, **self._stored} if before.get(name) != self._stored.get(name)]

    def _hide(self) -> None:
        self.mask.add(*self.values())

    def _tell(self, *names: str) -> None:
        for name in dict.fromkeys(names):
            for listener in self._listeners:
                listener(name)


def _trimmed(secrets: Mapping[str, str]) -> dict[str, str]:
    """Secrets without the blanks around them, of which a file that was read into a variable has some.

    No header takes them, and what repeats a secret leaves them out.
    """
    return {name: trimmed for name, value in secrets.items() if (trimmed := value.strip())}
