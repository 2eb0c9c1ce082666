#!/usr/bin/env python
"""Django's command line. `up` starts the servers that settings need, so it runs before Django is imported."""

import os
import sys

from helpdesk import supervisor

# sysexits.h
EX_DATAERR = 65
EX_TEMPFAIL = 75


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    if sys.argv[1:] == ["up"]:
        sys.exit(supervisor.main())

    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except (Exception, SystemExit) as error:
        ended_well = isinstance(error, SystemExit) and error.code in (None, 0, EX_DATAERR)
        if sys.argv[1:2] != ["receive_email"] or ended_well:
            raise
        # Whatever keeps us from starting is no fault of the mail, and a mail server bounces it for any other code.
        sys.stderr.write(f"{error.__class__.__name__}: {error}\n")
        sys.exit(EX_TEMPFAIL)


if __name__ == "__main__":
    main()
