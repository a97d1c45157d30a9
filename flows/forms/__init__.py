"""The forms of policy: a flow, a bundle, an access scope. Lists of rows grow and shrink without a script."""

from flows.forms.bundle import BundlePage
from flows.forms.policy import PolicyForm, beyond_the_form
from flows.forms.rows import BadRows, pressed
from flows.forms.scope import ScopePage

__all__ = ["BadRows", "BundlePage", "PolicyForm", "ScopePage", "beyond_the_form", "pressed"]
