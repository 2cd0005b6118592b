"""`python -m orchestration`: the `bioloupe` command where it is not on PATH."""

from orchestration.cli import main

main()
