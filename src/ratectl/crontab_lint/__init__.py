"""What in a foreign crontab does not do what it looks like: bytes in, findings out, nothing touched."""

from ratectl.crontab_lint.crontab import LintFinding, as_stored, lint, lint_system
from ratectl.crontab_lint.machine import Machine

__all__ = ["LintFinding", "Machine", "as_stored", "lint", "lint_system"]
