"""The routes, one file for each group of paths; each file has one `router`."""

from impasto.api.routes import (
    app,
    events,
    external_providers,
    health,
    image_files,
    images,
    metrics,
    models,
    nodes,
    panels,
    plugins,
    queue,
    queue_changes,
    workflows,
)

__all__ = ["ROUTERS"]

#: In the order in which the API describes them.
ROUTERS = (
    app.router,
    external_providers.router,
    queue.router,
    queue_changes.router,
    workflows.router,
    images.router,
    image_files.router,
    models.router,
    nodes.router,
    panels.router,
    plugins.router,
    events.router,
    health.router,
    metrics.router,
)
