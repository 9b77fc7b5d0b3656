"""What in a foreign crontab does not do what it looks like: bytes in, findings out, nothing touched."""

from ratectl.crontab_lint.crontab import LintFinding, as_stored, lint, lint_system

__all__ = ["LintFinding", "as_stored", "lint", "lint_system"]
