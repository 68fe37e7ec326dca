"""What is said of a rule that is not understood."""


class RuleError(ValueError):
    """A rule is not understood; the message says what was expected."""
