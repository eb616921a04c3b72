#!/usr/bin/env bash
# Formats and checks of Go, C++, Python and shell; says what to do about each finding. The tools
# other than Go's own have pinned versions and come into build/lint.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
tools=build/lint/bin
if ! cmp -s scripts/lint_requirements.txt build/lint/.made; then
  "${PYTHON:-python3}" -m venv build/lint
  "$tools/pip" install --quiet --disable-pip-version-check -r scripts/lint_requirements.txt
  cp scripts/lint_requirements.txt build/lint/.made
fi
failed=0

# check NAME MEND COMMAND...
check() {
  local name=$1 mend=$2
  shift 2
  if ! "$@"; then
    echo "lint: $name: $mend" >&2
    failed=1
  fi
}

gofmt_finds_nothing() {
  local found
  found=$(gofmt -l .)
  [ -z "$found" ] || { echo "$found"; return 1; }
}

mapfile -t cxx < <(git ls-files '*.c' '*.cc' '*.h')
mapfile -t shell < <(git ls-files '*.sh' .ci/run)
check gofmt "run gofmt -w on these files" gofmt_finds_nothing
check staticcheck "mend what it says" "$go" run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
check clang-format "run $tools/clang-format -i on these files" "$tools/clang-format" --dry-run -Werror "${cxx[@]}"
check ruff "run $tools/ruff check --fix, or mend what it says" "$tools/ruff" check --quiet .
check shellcheck "mend what it says" "$tools/shellcheck" --severity=warning "${shell[@]}"
check NOTICE "run scripts/notice.py and commit NOTICE" "${PYTHON:-python3}" scripts/notice.py --check
exit "$failed"
