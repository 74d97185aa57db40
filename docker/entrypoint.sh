#!/bin/sh
# Runs the service that the argument names, or a file of the image: its process is the container's first, so it gets the signals.
set -eu
case "${1:-}" in
  mapping | poller | invoker | standalone) exec node "/app/services/$1/src/main.ts" ;;
  *.ts) exec node "$@" ;;
  *)
    echo "usage: mapping | poller | invoker | standalone | <file>.ts" >&2
    exit 64
    ;;
esac
