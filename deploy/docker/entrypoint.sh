#!/bin/sh
# exec: signals reach Node itself, which then has 25 s to finish what is under way.
set -eu
if [ "$#" -eq 0 ]; then set -- start ${SERVICE:+"$SERVICE"}; fi
exec node /app/apps/cli/src/main.ts "$@"
