"""What many routes take: the application behind the API, ids within bounds, bodies by their types.

Ids are bounded here because a database takes no integer above 63 bits: without the bound, a wild number in a path would
be the server's mistake instead of the client's. The bound is that of JavaScript, in which clients hold them; and one of
63 bits could not be told exactly in an OpenAPI document, whose bounds are read as floating point.
"""

from typing import Annotated

from fastapi import Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import HTTPConnection

from impasto.app import Impasto
from impasto.queue.records import WHOLE_NUMBER

__all__ = [
    "LARGEST_ID",
    "App",
    "ItemId",
    "ItemIdParameter",
    "NameParameter",
    "QueueIdParameter",
    "RequestBody",
    "SecretBody",
]


async def _application(connection: HTTPConnection) -> Impasto:
    # async, so that FastAPI does not hop to a thread for it
    application: Impasto = connection.app.state.impasto
    return application


#: What the routes serve.
App = Annotated[Impasto, Depends(_application)]
#: The queue a path names; it comes into being with its first item.
QueueIdParameter = Annotated[
    str, Path(description="Name of the queue, usually `default`", min_length=1, max_length=255)
]
#: The largest number that an item can have.
LARGEST_ID = 2**53 - 1
#: The number of a queue item, in a body.
ItemId = Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID), WHOLE_NUMBER]
#: The number of a queue item, in a path.
ItemIdParameter = Annotated[int, Path(description="Number of the queue item", ge=1, le=LARGEST_ID)]
#: An image, model, panel, plugin or node type.
NameParameter = Annotated[str, Path(description="Its name, id or key, as lists give it", min_length=1, max_length=1024)]


class RequestBody(BaseModel):
    """Base of what bodies are read into. JSON knows types: 0 is not false, ``"1"`` is no number.

    For integers there is `impasto.queue.records.WHOLE_NUMBER`, to which 1.0 is one as it is to JSON.
    """

    model_config = ConfigDict(strict=True)


class SecretBody(RequestBody):
    """Base of bodies that hold a secret: what is sent is quoted nowhere, in no problem that refuses it either."""
