"""The calls that README shows, run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# So many calls README promises.
PROMISED = 3


def run(readme, fleet, package, outcome):
    """Runs the blocks of the section about the API; each must succeed and print something of the fleet."""
    text = Path(readme).read_text()
    section = text.split("\n## The API\n", 1)[-1].split("\n## ", 1)[0]
    blocks = BLOCK.findall(section)
    if len(blocks) < PROMISED:
        outcome.general.append(f"README's section about the API shows {len(blocks)} calls, not {PROMISED}")
    surroundings = {
        **os.environ,
        "KEELSON": fleet.url,
        "CA": fleet.session.verify,
        "KEY": fleet.session.headers["Authorization"].removeprefix("Bearer "),
        "PYTHONPATH": package,
        "no_proxy": "localhost",
    }
    for language, code in blocks:
        command = ["sh", "-euc", code] if language == "sh" else [sys.executable, "-c", code]
        done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=300, check=False)
        first = code.strip().splitlines()[0]
        if done.returncode != 0:
            outcome.general.append(f"README: `{first} …` failed: {done.stderr[-400:]}")
        elif '"errors":[{' in done.stdout or not re.search(r"[0-9a-f]{8}-|\"name\"", done.stdout):
            outcome.general.append(f"README: `{first} …` printed {done.stdout[:300]!r}")
