"""Words around numbers."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 file`, `2,000 files`; `many` where the plural is not the noun and an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
