//go:build python

package scripts_test

import (
	"archive/zip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// python runs a program with the Python of EEGPRUNE_PYTHON, in a directory of its own, with
// scripts on the path, and gives what it says on stdout and stderr.
func python(t *testing.T, dir string, args ...string) (out, errors string, err error) {
	t.Helper()
	exe := os.Getenv("EEGPRUNE_PYTHON")
	if exe == "" {
		t.Fatal("EEGPRUNE_PYTHON names no Python with torch: make test-networks makes one")
	}
	scripts, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	var o, e strings.Builder
	cmd := exec.Command(exe, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &o, &e
	cmd.Env = append(os.Environ(), "PYTHONPATH="+scripts, "PYTHONDONTWRITEBYTECODE=1")
	err = cmd.Run()
	return o.String(), e.String(), err
}

// extra is the constraints that an archive holds, by weight.
func extra(t *testing.T, path string) map[string]any {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, "/extra/eegprune.json") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			MaxNorm map[string]any `json:"max_norm"`
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		return v.MaxNorm
	}
	return nil
}

func bound(norm, p, dim float64) map[string]any {
	return map[string]any{"norm": norm, "p": p, "dim": dim}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const network = `import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.lin = nn.Conv1d(3, 4, 5), nn.Linear(4, 2)

    def head(self, x):
        return self.lin(x.mean(-1))

`

// exporting exports the network of each module that it is given, into a file of its name, and
// prints what was said.
const exporting = `import importlib
import json
import sys
import warnings
import torch
from export_network import ExportError, export

torch.set_num_threads(1)
all_said = {}
for name in sys.argv[1:]:
    torch.manual_seed(0)
    net = importlib.import_module(name).Net()
    state = {k: v.clone() for k, v in net.state_dict().items()}
    rng = torch.get_rng_state()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            export(net, torch.randn(3, 3, 20, generator=torch.Generator().manual_seed(1)), name + ".pt2")
            said = "".join(str(w.message) for w in warned if "evaluation" in str(w.message))
        except ExportError as e:
            said = str(e)
    if not said:
        assert all(torch.equal(v, state[k]) for k, v in net.state_dict().items()), "the network is changed"
        assert torch.equal(rng, torch.get_rng_state()), "PyTorch's generator is moved"
    all_said[name] = said
print("\n" + json.dumps(all_said))
`

// exported exports networks with these bodies of forward by one Python: a module each, in dir.
func exported(t *testing.T, dir string, forwards map[string]string) map[string]string {
	t.Helper()
	args := []string{"go.py"}
	for name, body := range forwards {
		write(t, filepath.Join(dir, name+".py"), network+"    def forward(self, x):\n"+indented(body))
		args = append(args, name)
	}
	write(t, filepath.Join(dir, "go.py"), exporting)
	out, said, err := python(t, dir, args...)
	if err != nil {
		t.Fatal(said, err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var v map[string]string
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &v); err != nil {
		t.Fatal(out, err)
	}
	return v
}

func TestExportNetworkFindsMaxNorms(t *testing.T) {
	cases := map[string]struct {
		forward string
		want    map[string]any
	}{
		"none": {"return self.head(self.conv(x))", nil},
		"data": {"self.conv.weight.data = torch.renorm(self.conv.weight.data, p=2, dim=0, maxnorm=0.4)\nreturn self.head(self.conv(x))",
			map[string]any{"conv.weight": bound(0.4, 2, 0)}},
		"in_place": {"self.lin.weight.data.renorm_(2, 0, 0.4)\nreturn self.head(self.conv(x))", map[string]any{"lin.weight": bound(0.4, 2, 0)}},
		"copied":   {"with torch.no_grad():\n    self.lin.weight.copy_(self.lin.weight.renorm(p=1, dim=-1, maxnorm=0.4))\nreturn self.head(self.conv(x))", map[string]any{"lin.weight": bound(0.4, 1, 1)}},
		"no_renorm": {`with torch.no_grad():
    norm = self.lin.weight.norm(2, dim=0, keepdim=True).clamp(min=0.25)
    self.lin.weight *= torch.clamp(norm, max=0.5) / (1e-5 + norm)
return self.head(self.conv(x))`, map[string]any{"lin.weight": bound(0.5, 2, 1)}},
		"two": {"self.conv.weight.data.renorm_(2, 0, 0.4)\nself.lin.weight.data.renorm_(2, 0, 0.3)\nreturn self.head(self.conv(x))",
			map[string]any{"conv.weight": bound(0.4, 2, 0), "lin.weight": bound(0.3, 2, 0)}},
	}
	forwards := map[string]string{}
	for name, c := range cases {
		forwards[name] = c.forward
	}
	dir := t.TempDir()
	for name, said := range exported(t, dir, forwards) {
		if said != "" {
			t.Errorf("%s: said %s", name, said)
		} else if got := extra(t, filepath.Join(dir, name+".pt2")); !reflect.DeepEqual(got, cases[name].want) {
			t.Errorf("%s: constraints %v, want %v", name, got, cases[name].want)
		}
	}
}

func indented(text string) string {
	return "        " + strings.ReplaceAll(text, "\n", "\n        ") + "\n"
}

func TestExportNetworkSaysWhatCanNotBe(t *testing.T) {
	cases := map[string]struct{ forward, want string }{
		"control_flow":      {"if x.mean() > 0:\n    x = 2 * x\nreturn self.head(self.conv(x))", "control_flow.py:15: `if x.mean() > 0:`: the way through forward depends on the values"},
		"item":              {"x = x / x.abs().max().item()\nreturn self.head(self.conv(x))", "item.py:15: `x = x / x.abs().max().item()`: this takes a number out of a tensor"},
		"a_size_by_data":    {"n = int(x.sum())\nreturn self.head(self.conv(x)[..., :n])", "a_size_by_data.py:15: `n = int(x.sum())`: this takes a number out"},
		"fixed_batch":       {"return self.head(self.conv(x).view(4, 4, -1))", "fixed_batch.py:15: `return self.head(self.conv(x).view(4, 4, -1))`: this fixes the number of clips in a batch to 4"},
		"len":               {"x = x.reshape(len(x), 3, 20)\nreturn self.head(self.conv(x))", "len.py:15: `x = x.reshape(len(x), 3, 20)`: this fixes the number of clips in a batch to 4; len() does that"},
		"even_batches":      {"x = x.reshape(-1, 2, 3, 20).flatten(0, 1)\nreturn self.head(self.conv(x))", "even_batches.py:15: `x = x.reshape(-1, 2, 3, 20).flatten(0, 1)`: forward takes some numbers of clips only"},
		"by_numpy":          {"x = torch.from_numpy(2 * x.numpy())\nreturn self.head(self.conv(x))", "by_numpy.py:15: `x = torch.from_numpy(2 * x.numpy())`: numpy computes outside"},
		"no_grad":           {"with torch.no_grad():\n    m = x.mean(-1, keepdim=True)\nreturn self.head(self.conv(x - m))", "no_grad.py:15: `with torch.no_grad():`: torch.no_grad() in forward"},
		"two_outputs":       {"return self.head(self.conv(x)), x", "two_outputs.py:14: `def forward(self, x):`: forward gives a tuple for 4 clips"},
		"no_classes":        {"return self.conv(x)", "forward gives a tensor of shape [4, 4, 16] for 4 clips"},
		"a_wrong_shape":     {"return self.lin(x)", "a_wrong_shape.py:15: `return self.lin(x)`: forward fails for an input of shape [4, 3, 20]"},
		"a_mask":            {"self.conv.weight.data *= torch.arange(5) % 2\nreturn self.head(self.conv(x))", "a_mask.py:15: `self.conv.weight.data *= torch.arange(5) % 2`: forward changes the weight conv.weight, and not as torch.renorm"},
		"always_norm_1":     {"w = self.conv.weight\nw.data = w.data / w.data.norm(dim=(1, 2), keepdim=True)\nreturn self.head(self.conv(x))", "always_norm_1.py:16: `w.data = w.data / w.data.norm(dim=(1, 2), keepdim=True)`: the losses of five steps are not the network's: the exported graph with conv.weight bounded by a norm of 1 is off by "},
		"two_norms":         {"self.lin.weight.data.renorm_(2, 0, 0.4)\nself.lin.weight.data.renorm_(2, 1, 0.3)\nreturn self.head(self.conv(x))", "forward changes the weight lin.weight, and not as torch.renorm does over one"},
		"a_new_weight":      {"self.conv.weight = nn.Parameter(torch.renorm(self.conv.weight, 2, 0, 0.1))\nreturn self.head(self.conv(x))", "forward puts another tensor in the place of the weight conv.weight"},
		"numpy_s_generator": {"return self.head(self.conv(x) * np.random.rand())", "the losses of five steps are not the network's: the exported graph is off by "},
		"a_counter":         {"Net.n = getattr(Net, 'n', 0) + 1\nreturn self.head(self.conv(x) * Net.n)", "the losses of five steps are not the network's"},
		"conditional":       {"w = self.conv.weight\nif w.norm(dim=(1, 2)).max() > 0.3:\n    w.data = torch.renorm(w.data, 2, 0, 0.3)\nreturn self.head(self.conv(x))", "conditional.py:16: `if w.norm(dim=(1, 2)).max() > 0.3:`: the way through forward depends on the values"},
	}
	forwards := map[string]string{"otherwise_evaluated": "x = self.conv(x)\nif self.training:\n    x = x * (torch.rand(x.shape[0], 1, 1) > 0.3)\nreturn self.head(x)"}
	for name, c := range cases {
		forwards[name] = c.forward
	}
	dir := t.TempDir()
	for name, said := range exported(t, dir, forwards) {
		_, err := os.Stat(filepath.Join(dir, name+".pt2"))
		if name == "otherwise_evaluated" {
			if err != nil || !strings.Contains(said, "in evaluation mode the network's logits are not those of the exported graph") {
				t.Errorf("%s: said %s (%v)", name, said, err)
			}
			continue
		}
		if !strings.Contains(said, cases[name].want) || strings.Contains(said, "\n") {
			t.Errorf("%s: said %s, want %s", name, said, cases[name].want)
		}
		if !os.IsNotExist(err) {
			t.Errorf("%s: a file is written (%v)", name, err)
		}
	}
}

func TestExportNetworkCommand(t *testing.T) {
	script, err := filepath.Abs("export_network.py")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "net.py"), network+"    def forward(self, x):\n"+indented("self.lin.weight.data.renorm_(2, 0, 0.4)\nreturn self.head(self.conv(x))"))
	write(t, filepath.Join(dir, "go.py"), `import torch
from net import Net


class Main(Net):
    pass


torch.save(Net(), "net.pt")
torch.save(Net().state_dict(), "state.pt")
torch.save(Main(), "main.pt")
`)
	if _, said, err := python(t, dir, "go.py"); err != nil {
		t.Fatal(said, err)
	}
	out, said, err := python(t, dir, script, "net.pt", "--input", "3x20", "--out", "a.pt2")
	if err != nil || !strings.Contains(said, "executes the code that it names") || !strings.Contains(out, "lin.weight: max-norm 0.4 (p 2, dimension 0)") {
		t.Errorf("said %s %s (%v)", out, said, err)
	}
	if got, want := extra(t, filepath.Join(dir, "a.pt2")), map[string]any{"lin.weight": bound(0.4, 2, 0)}; !reflect.DeepEqual(got, want) {
		t.Errorf("constraints %v, want %v", got, want)
	}
	refused := []struct{ file, input, want string }{
		{"state.pt", "3x20", "state.pt: holds a OrderedDict and no network"},
		{"none.pt", "3x20", "none.pt: can't be read: FileNotFoundError"},
		{"main.pt", "3x20", "main.pt: the network's class can't be found"},
		{"net.pt", "4x20", "forward fails for an input of shape [4, 4, 20]"},
		{"net.pt", "3x", "'3x' is no shape of one clip"},
	}
	args := []string{"-c", `import sys
import export_network
for i in range(1, len(sys.argv), 2):
    file, shape = sys.argv[i:i + 2]
    kept, sys.argv = sys.argv, ["export_network.py", file, "--input", shape, "--out", "b.pt2"]
    try:
        export_network.main()
    except SystemExit as e:
        print("=", e, file=sys.stderr)
    sys.argv = kept
`}
	for _, c := range refused {
		args = append(args, c.file, c.input)
	}
	_, said, err = python(t, dir, args...)
	if err != nil || strings.Contains(said, "Traceback") {
		t.Fatal(said, err)
	}
	for _, c := range refused {
		if !strings.Contains(said, c.want) {
			t.Errorf("%s --input %s: said %s, want %s", c.file, c.input, said, c.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "b.pt2")); !os.IsNotExist(err) {
		t.Errorf("a file is written (%v)", err)
	}
}

// torcheeg's networks with its classes as they are; torch_scatter, which none of these uses,
// need not be there.
const torcheeg = `import json
import sys
import types
sys.modules.setdefault("torch_scatter", types.SimpleNamespace(scatter_add=None))
import torch
from torcheeg import models
from export_network import export

torch.set_num_threads(1)


def losses(model, bounds):
    torch.manual_seed(3)
    optimizer, found = torch.optim.SGD(model.parameters(), lr=0.1), []
    for _ in range(6):
        for name, b in bounds.items():
            w = model.get_parameter(name)
            w.data = torch.renorm(w.data, b["p"], b["dim"], b["norm"])
        loss = torch.nn.functional.cross_entropy(model(x), torch.arange(6) % 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


for name, (arguments, shape) in json.loads(sys.argv[1]).items():
    torch.manual_seed(0)
    net, x = getattr(models, name)(**arguments), torch.randn(6, *shape)
    bounds = export(net, x, name + ".pt2")
    files = {"eegprune.json": ""}
    read = torch.export.load(name + ".pt2", extra_files=files)
    assert json.loads(files["eegprune.json"]) == {"max_norm": bounds}, files
    want, got = losses(net.train(), {}), losses(read.module(), bounds)
    assert max(abs(a - b) for a, b in zip(want, got)) <= 1e-6 * max(want), (name, want, got)
`

func TestExportNetworkTakesTorcheegsMaxNorms(t *testing.T) {
	networks := `{"EEGNet": [{"chunk_size": 128, "num_electrodes": 28}, [1, 28, 128]],
		"FBCNet": [{"num_electrodes": 20, "chunk_size": 128, "in_channels": 4}, [4, 20, 128]],
		"FBMSNet": [{"num_electrodes": 20, "chunk_size": 128, "in_channels": 4, "num_classes": 2}, [4, 20, 128]],
		"CSPNet": [{"num_electrodes": 22, "chunk_size": 250, "num_classes": 2}, [1, 22, 250]]}`
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.py"), torcheeg)
	if _, said, err := python(t, dir, "go.py", networks); err != nil {
		t.Fatal(said, err)
	}
	for name, want := range map[string]map[string]any{
		"EEGNet":  {"block1.2.weight": bound(1, 2, 0)},
		"FBCNet":  {"scb.0.weight": bound(2, 2, 0), "last_layer.0.weight": bound(0.5, 2, 0)},
		"FBMSNet": {"scb.0.weight": bound(2, 2, 0), "fc.0.weight": bound(0.5, 2, 0)},
		"CSPNet":  {"classifier.0.weight": bound(0.5, 2, 0)},
	} {
		if got := extra(t, filepath.Join(dir, name+".pt2")); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: constraints %v, want %v", name, got, want)
		}
	}
}
