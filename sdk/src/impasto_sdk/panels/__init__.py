"""Panels: forms that plugins describe and that build graphs (placeholder until the package is filled)."""

from impasto_sdk.panels.panel import Panel, PanelSection

__all__ = ["Panel", "PanelSection"]
