#!/usr/bin/env bash
# Tries a wheel outside the checkout: test_wheel.sh WHEEL [PYTHON...]. In a fresh virtual
# environment for the oldest and for the newest torch that the wheel has a shim for, or for the
# torch of each PYTHON, it runs the main job in small, exports, predicts, and runs the
# module's doctests and the commands of docs/start.md. PIP_INDEX_URL and such choose where pip takes torch from.
set -euo pipefail
wheel=$(realpath "$1") root=$(cd "$(dirname "$0")/.." && pwd)
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset EEGPRUNE_SHIM LIBTORCH PYTHONPATH
export XDG_CACHE_HOME=$work/cache NO_COLOR=1

# try PYTHON: all checks, with the Python of an environment that has the wheel and a torch.
try() {
  local python=$1 place
  place=$(mktemp -d "$work/place.XXXX")
  cd "$place"
  PATH=$(dirname "$python"):$PATH
  "$python" -c "
import sys, eegprune.launch as launch
env, warning = launch.environment()
print(env['EEGPRUNE_SHIM'].split('site-packages/')[-1], '' if not warning else warning)
assert 'torch' not in sys.modules, 'the launcher imports torch'"
  eegprune version
  eegprune doctor
  eegprune data simulate --quiet --out recordings --subjects 4 --trials 2 --seconds 6 >/dev/null
  eegprune run --quiet --data recordings --out study --folds 2 --epochs 2 --batch 16 --method lfp --ratio 0.4 >/dev/null
  set -- study/checkpoints/*fine-tuned*.safetensors
  [ -f "$1" ] || set -- study/checkpoints/*.safetensors
  eegprune export --quiet "$1" --python --out small.pt
  eegprune predict --quiet "$1" "$(find recordings -type f ! -name '*.yaml' ! -name '*.json' | sort | head -n 1)" >predictions.txt
  [ -s predictions.txt ] || { echo "predict says nothing" >&2; return 1; }
  "$python" - <<'PY'
import doctest, sys
import eegprune, torch
state = torch.load("small.pt", weights_only=True)
assert state and all(torch.isfinite(t).all() for t in state.values() if t.is_floating_point()), "small.pt is no network"
failed = tried = 0
for module in (eegprune, eegprune.launch):
    f, t = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    failed, tried = failed + f, tried + t
assert tried >= 15, f"only {tried} doctests"
# Evaluation is that of the network with those channels at zero, for one clip too.
torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Conv2d(4, 10, 3, padding=1), torch.nn.BatchNorm2d(10), torch.nn.ReLU(),
                          torch.nn.Dropout(0.5), torch.nn.Flatten(), torch.nn.Linear(810, 2))
for _ in range(3):
    net(torch.randn(8, 4, 9, 9))
net.eval()
x = torch.randn(1, 4, 9, 9)
small = eegprune.prune(net, x, method="lfp", ratio=0.4)
gone = net[0].weight.detach().abs().sum((1, 2, 3)).argsort()[:4]
with torch.no_grad():
    net[5].weight.view(2, 10, 81)[:, gone] = 0
    off = (small(x) - net(x)).abs().max().item()
assert off < 1e-5, f"the pruned module's logits are off by {off}"
assert not small.training and small.train()(x.expand(4, -1, -1, -1)).shape == (4, 2)
sys.exit(1 if failed else 0)
PY
  "$python" "$root/scripts/run_start.py" --path "$(dirname "$python")"
  cd /
}

python3 -m doctest "$root/scripts/run_start.py"

# Without a torch, what needs none works, and the rest says what to install.
python3 -m venv "$work/bare"
"$work/bare/bin/pip" install --quiet --no-deps "$wheel"
"$work/bare/bin/eegprune" cite --method lfp >/dev/null
if said=$("$work/bare/bin/eegprune" doctor 2>&1) || [[ $said != *"pip install 'eegprune[torch]'"* ]]; then
  echo "doctor without a torch says: $said" >&2
  exit 1
fi

if [ $# -gt 0 ]; then
  for python in "$@"; do
    "$python" -m venv "$work/venv"
    "$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch.pth"
    "$work/venv/bin/pip" install --quiet --no-deps "$wheel"
    (try "$work/venv/bin/python")
    rm -rf "$work/venv"
  done
else
  mapfile -t minors < <(python3 -c 'import sys, zipfile; print("\n".join(sorted({n.split("/")[2] for n in zipfile.ZipFile(sys.argv[1]).namelist() if n.startswith("eegprune/shims/")}, key=lambda v: [int(n) for n in v.split(".")])))' "$wheel")
  for minor in "${minors[0]}" "${minors[-1]}"; do
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet "torch==$minor.*" numpy "${wheel}[torch]"
    (try "$work/venv/bin/python")
    rm -rf "$work/venv"
  done
fi
echo "the wheel works"
