"""`python -m orchestration.coverage`: write the page anew, after a model or `leaves.csv` has changed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from orchestration.coverage.page import PAGE, coverage, page, uncovered
from orchestration.runtime import DBT_PROJECT_DIR
from orchestration.settings import PROJECT_ROOT, settings
from orchestration.warehouse import reach


def main() -> None:
    """Compile the models, probe them in the warehouse's server, write the page; exit 1 where a leaf is not covered."""
    url = reach(settings())
    with tempfile.TemporaryDirectory() as target:
        dbt = str(Path(sys.executable).parent / "dbt")
        options = ["--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(PROJECT_ROOT)]
        compile_ = [dbt, "-q", "compile", "--full-refresh", "--select", "path:models/staging", *options]
        subprocess.run([*compile_, "--target-path", target], check=True, env=os.environ | {"DATABASE_URL": url})
        found = coverage(url, Path(target) / "manifest.json")
    PAGE.write_text(page(found))
    missing = uncovered(found)
    print(f"{PAGE}: {len(found)} fields" + "".join(f"\nneither staged nor listed, or both: {path}" for path in missing))
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()
