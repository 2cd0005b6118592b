"""`bioloupe branch`: branch deployments, each with schemas of its own beside the shared ones."""

import shutil
import subprocess

import click

from orchestration.branch_names import slug
from orchestration.branches import Branch, branches, create, drop
from orchestration.runtime import DBT_PROJECT_DIR, target_path
from orchestration.settings import PROJECT_ROOT, Settings, read_settings
from orchestration.warehouse import reach


@click.group()
def branch() -> None:
    """Branch deployments: try a change of models on the real data, beside production.

    A branch has schemas of its own (feature_x__ctgov, feature_x__analytics, …) in the database that DATABASE_URL
    names, and reads the shared raw_ctgov and enrichment. Nothing is loaded or paid for in it.
    """


@branch.command("create")
@click.argument("name")
def create_branch(name: str) -> None:
    """Make the schemas of the git branch NAME, and print what to set to work in it."""
    made = create(reach(_settings(_slug(name))), name)
    click.echo(f"# {made.name}: {', '.join(made.schemas)}", err=True)
    click.echo(f"export BIOLOUPE_ENV=staging BIOLOUPE_BRANCH={made.slug} DBT_TARGET_PATH={target_path(made.slug)}")
    click.echo(
        "# then `bioloupe refresh` or `dbt build` (whole, the first time) builds the branch, `bioloupe ui` shows it",
        err=True,
    )


@branch.command("drop")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Don't ask.")
def drop_branch(name: str, yes: bool) -> None:
    """Remove the branch deployment NAME: its schemas, its runs, its files. Nothing else is touched."""
    config = _settings()
    url, wanted = reach(config), _slug(name)
    found = next((b for b in branches(url) if b.slug == wanted), None)
    if found is None:
        raise click.ClickException(f"there is no branch deployment {name}: `bioloupe branch list`")
    if not yes:
        click.confirm(f"Remove {', '.join(found.schemas)} and all that is in them?", abort=True)
    _remove(url, found, config)


@branch.command("list")
def list_branches() -> None:
    """Show the branch deployments, what their schemas' names begin with, and their sizes."""
    for found in branches(reach(_settings())):
        click.echo(f"{found.name}   {found.slug}__*   {found.size / 1e6:,.1f} MB")


@branch.command()
@click.option("--yes", is_flag=True, help="Don't ask.")
def sync(yes: bool) -> None:
    """Drop the deployments of branches that git no longer has: neither this checkout nor its remotes."""
    config = _settings()
    url, living = reach(config), _git_branches()
    left = [b for b in branches(url) if b.name not in living]
    if not left:
        click.echo("every branch deployment has its git branch")
    for found in left:
        if yes or click.confirm(f"{found.name} is no git branch any more. Remove {', '.join(found.schemas)}?"):
            _remove(url, found, config)


def _settings(branch: str = "any") -> Settings:
    """The configuration as a branch has it, also where BIOLOUPE_ENV and BIOLOUPE_BRANCH are not set yet."""
    return read_settings(BIOLOUPE_ENV="staging", BIOLOUPE_BRANCH=branch)


def _slug(name: str) -> str:
    try:
        return slug(name)
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _remove(url: str, found: Branch, config: Settings) -> None:
    drop(url, found, config.shared_home)
    shutil.rmtree(DBT_PROJECT_DIR / target_path(found.slug), ignore_errors=True)
    click.echo(f"removed {found.name}: {', '.join(found.schemas)}")


def _git_branches() -> set[str]:
    """The branches that git has, asked of the remotes themselves: what was fetched may be old, or just a part."""
    names = set(_git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"))
    for remote in _git("remote"):
        names |= {line.split("refs/heads/", 1)[1] for line in _git("ls-remote", "--heads", remote)}
    return names


def _git(*arguments: str) -> list[str]:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=True
        )
    except subprocess.CalledProcessError as error:
        raise click.ClickException(
            f"git does not tell its branches, nothing was done: {error.stderr.strip()}"
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise click.ClickException(f"git does not tell its branches, nothing was done: {error}") from None
    return done.stdout.splitlines()
