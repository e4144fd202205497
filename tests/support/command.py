"""The command in a process of its own, for tests that interrupt it."""

import sys

# A shell that starts something in the background has it ignore SIGINT, and so do its children.
_CODE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from apps.cli import main; sys.exit(main())"
)
COMMAND = (sys.executable, "-c", _CODE)
