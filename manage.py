#!/usr/bin/env python
"""Django's command line. `up` starts the servers that settings need, so it runs before Django is imported."""

import os
import sys

from helpdesk import supervisor


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    if sys.argv[1:] == ["up"]:
        sys.exit(supervisor.main())

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
