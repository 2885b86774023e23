"""Fetches the JavaScript that the pages use, as npm's own client gives it, and writes down what it is.

    python tools/vendor_js.py            # after a change of PACKAGES; then look at `git diff`

Each file is copied letter by letter into dialer/web/static/vendor, with its licence; vendor.json holds version, place
in the package and SHA-256, which tests/web/test_static.py compares with the files.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "dialer" / "web" / "static" / "vendor"
# package, version, what it is for, {file in the package: file here}
PACKAGES = [
    ("htm", "3.1.1", "preact, its hooks and htm as one module", {
        "preact/standalone.module.js": "htm-preact.js",
        "LICENSE": "htm.LICENSE.txt",
    }),
    ("preact", "10.29.7", "the licence of what htm's module carries", {"LICENSE": "preact.LICENSE.txt"}),
    ("uplot", "1.6.32", "charts", {
        "dist/uPlot.esm.js": "uplot.js",
        "dist/uPlot.min.css": "uplot.css",
        "LICENSE": "uplot.LICENSE.txt",
    }),
]  # fmt: skip


def main() -> None:
    """Fetch all; entries of vendor.json that other scripts made are kept."""
    known = json.loads((VENDOR / "vendor.json").read_text()) if (VENDOR / "vendor.json").exists() else []
    ours = {package for package, *_ in PACKAGES}
    entries = [entry for entry in known if entry["package"] not in ours]
    for package, version, what, files in PACKAGES:
        entries += fetched(package, version, what, files)
    entries.sort(key=lambda entry: str(entry["file"]))
    (VENDOR / "vendor.json").write_text(json.dumps(entries, indent=2) + "\n")


def fetched(package: str, version: str, what: str, files: dict[str, str]) -> list[dict[str, str]]:
    """The entries of one package; its files are in place."""
    with tempfile.TemporaryDirectory() as place:
        packed = subprocess.run(
            ["npm", "pack", f"{package}@{version}", "--silent", "--pack-destination", place],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        entries = []
        with tarfile.open(Path(place) / packed.stdout.strip().splitlines()[-1]) as archive:
            for source, file in files.items():
                member = archive.extractfile(f"package/{source}")
                if member is None:
                    sys.exit(f"{package} {version} has no {source}")
                content = member.read()
                (VENDOR / file).write_bytes(content)
                digest = hashlib.sha256(content).hexdigest()
                entry = {"file": file, "package": package, "version": version, "source": source}
                entries.append(entry | {"what": what, "sha256": digest})
    return entries


if __name__ == "__main__":
    main()
