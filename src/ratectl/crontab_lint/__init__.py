"""What in a foreign crontab does not do what it looks like: bytes in, findings out, nothing touched."""

from ratectl.crontab_lint.crontab import Finding, as_stored, lint, lint_system

__all__ = ["Finding", "as_stored", "lint", "lint_system"]
