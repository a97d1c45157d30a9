"""The forms of policy: a flow, a bundle, a scope, a webhook. Lists of rows grow and shrink without a script."""

from flows.forms.bundle import BundlePage
from flows.forms.columns import PARTS
from flows.forms.policy import PolicyForm
from flows.forms.rows import BadRows, pressed
from flows.forms.scope import ScopePage
from flows.forms.webhook import WebhookPage
from flows.forms.window import zones

__all__ = ["PARTS", "BadRows", "BundlePage", "PolicyForm", "ScopePage", "WebhookPage", "pressed", "zones"]
