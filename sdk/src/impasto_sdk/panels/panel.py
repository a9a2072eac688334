"""Placeholder."""


class Panel:
    """Placeholder."""


class PanelSection:
    """Placeholder."""
