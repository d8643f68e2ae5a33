"""Makes a command that is run as a file use the code that it lies beside, whatever is installed.

Ctrl-C ends it quietly from here on, so it comes before other imports.

`python experiments/study.py` imports this, since Python puts experiments/ first on `sys.path`. In
an installation that code is the installed package, in a checkout that checkout's.
"""

import sys
from pathlib import Path

_BESIDE = Path(__file__).parent.parent
_ROOT = _BESIDE if (_BESIDE / "awl_vae").is_dir() else _BESIDE.parent

# The package finds its rooms itself, so that nothing else of the checkout is put on the path; nor
# do the modules of experiments/ stay on it, as flags and study.
sys.path[0] = str(_ROOT)
from awl_vae.system.interrupts import exit_at_interrupts  # noqa: E402

del sys.path[0]
exit_at_interrupts()
