"""Checks of declarations."""

from impasto_sdk.panels.form import PanelForm
from impasto_sdk.panels.section import Section

__all__ = ["check_contributed_section", "check_form"]


def check_form(form: PanelForm) -> None:
    """Check."""


def check_contributed_section(section: Section) -> None:
    """Check."""
