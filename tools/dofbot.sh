#!/bin/sh
# dofbot, as `make install-user` puts it on the PATH. An emergency stop starts Python without site packages: that is quicker.
here='@HERE@'
if [ "$1" = estop ]; then
  shift
  "$here/.venv/bin/python" -I -S "$here/dofbot_ros/safety/stop_sender.py" "$@" && exit 0
  set -- estop "$@"
fi
exec "$here/.venv/bin/dofbot" "$@"
