#!/usr/bin/env bash
# Installs GoogleTest where CMake does not find it.
set -euo pipefail
found() { [ -e /usr/include/gtest/gtest.h ] || cmake --find-package -DNAME=GTest -DCOMPILER_ID=GNU -DLANGUAGE=CXX -DMODE=EXIST >/dev/null 2>&1; }
found && exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
if command -v apt-get >/dev/null; then
  $sudo apt-get update -qq && $sudo apt-get install -y -qq libgtest-dev >/dev/null
fi
found || { echo "the shim's tests need GoogleTest: install it (Debian: libgtest-dev)" >&2; exit 1; }
