#!/usr/bin/env bash
# Installs Chromium where there is no browser that the test of the page knows.
set -euo pipefail
found() {
  [ -n "${EEGPRUNE_CHROMIUM:-}" ] && return 0
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null && return 0
  done
  return 1
}
found && exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
if command -v apt-get >/dev/null; then
  $sudo apt-get update -qq && $sudo apt-get install -y -qq chromium >/dev/null
fi
found || { echo "the test of the page needs Chromium: install it (Debian: chromium), or name one in EEGPRUNE_CHROMIUM" >&2; exit 1; }
