"""Panels: forms that plugins describe and that build graphs, so that a client needs no code per model family.

A plugin declares a `Panel` (fields in `Section`s, and a function that makes a graph of their values) or a
`PanelSection` for the panels of others. The words are those of the panel document that clients are served; its
fields are the classes named after their kinds.
"""

from impasto_sdk.panels.check import PanelNotice, Verdict, check
from impasto_sdk.panels.condition import AllOf, AnyOf, Comparison, Condition, Not, When, when
from impasto_sdk.panels.contribution import Contribution, contribute, missing_from, plugin_prefix
from impasto_sdk.panels.declaration import check_form
from impasto_sdk.panels.effective import Effective, Group, effective
from impasto_sdk.panels.field import PanelField
from impasto_sdk.panels.filter import candidates, identifier, unmet
from impasto_sdk.panels.findings import seed_bounds
from impasto_sdk.panels.form import Availability, AvailabilityFix, Canvas, CanvasLayer, PanelForm, Preset, Submit
from impasto_sdk.panels.kinds import (
    AnyField,
    Boolean,
    Choice,
    Choices,
    Colour,
    Image,
    Images,
    Integer,
    List,
    Mask,
    Model,
    Note,
    Number,
    Prompt,
    Range,
    Secret,
    Seed,
    Size,
    SizePreset,
    Text,
    TokenCount,
)
from impasto_sdk.panels.option import Action, Option, OptionSource
from impasto_sdk.panels.panel import ApplySection, BuildGraph, Panel, PanelSection, UpgradeValues
from impasto_sdk.panels.reference import Reference, SameAs, fact, same_as
from impasto_sdk.panels.scope import Scope
from impasto_sdk.panels.section import PluginReference, Repeat, Section
from impasto_sdk.panels.upgrade import UpgradedValues, upgrade_values
from impasto_sdk.panels.values import PanelValues
from impasto_sdk.panels.world import World

__all__ = [
    "Action",
    "AllOf",
    "AnyField",
    "AnyOf",
    "ApplySection",
    "Availability",
    "AvailabilityFix",
    "Boolean",
    "BuildGraph",
    "Canvas",
    "CanvasLayer",
    "Choice",
    "Choices",
    "Colour",
    "Comparison",
    "Condition",
    "Contribution",
    "Effective",
    "Group",
    "Image",
    "Images",
    "Integer",
    "List",
    "Mask",
    "Model",
    "Not",
    "Note",
    "Number",
    "Option",
    "OptionSource",
    "Panel",
    "PanelField",
    "PanelForm",
    "PanelNotice",
    "PanelSection",
    "PanelValues",
    "PluginReference",
    "Preset",
    "Prompt",
    "Range",
    "Reference",
    "Repeat",
    "SameAs",
    "Scope",
    "Secret",
    "Section",
    "Seed",
    "Size",
    "SizePreset",
    "Submit",
    "Text",
    "TokenCount",
    "UpgradeValues",
    "UpgradedValues",
    "Verdict",
    "When",
    "World",
    "candidates",
    "check",
    "check_form",
    "contribute",
    "effective",
    "fact",
    "identifier",
    "missing_from",
    "plugin_prefix",
    "same_as",
    "seed_bounds",
    "unmet",
    "upgrade_values",
    "when",
]
