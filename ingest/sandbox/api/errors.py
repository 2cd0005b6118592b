"""What the API refuses, in its words."""


class BadRequest(Exception):
    """Answered with 400 and this message as plain text."""
