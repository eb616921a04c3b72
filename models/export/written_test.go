//go:build python

package export_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// TestBuiltInNetworksAsArchives has PyTorch load every model as an archive, whole and without some of its
// filters, compute its logits and train it a step; and this program read it again.
func TestBuiltInNetworksAsArchives(t *testing.T) {
	python := os.Getenv("EEGPRUNE_PYTHON")
	if python == "" {
		t.Fatal("EEGPRUNE_PYTHON names no Python with torch: make test-export makes one")
	}
	dir := t.TempDir()
	count := 0
	for _, name := range models.Names() {
		whole := build(t, name)
		keep := map[string][]int{}
		for _, g := range whole.Arch.Groups {
			for i := range (g.Channels + 1) / 2 {
				keep[g.Name] = append(keep[g.Name], 2*i)
			}
		}
		cut, _, err := whole.Arch.Cut(keep)
		if err != nil {
			t.Fatal(err)
		}
		small := reftest.Network(t, cut)
		reftest.Fill(t, small, 12)
		for _, n := range []*models.Network{whole, small} {
			reftest.Constrain(t, n)
			at := filepath.Join(dir, fmt.Sprint(count))
			count++
			in := n.Arch.Input
			shape := []int{3, in[0], in[1], in[2]}
			x := reftest.Ramp(3*in[0]*in[1]*in[2], 5, 2)
			want := logits(t, n, x, shape)
			if err := n.SaveAs(at+".pt2", nil); err != nil {
				t.Fatal(err)
			}
			again, _, err := models.OpenExported(at+".pt2", torch.CPU)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			values, err := json.Marshal(map[string]any{"network": name, "shape": shape, "x": x, "logits": want, "again": logits(t, again, x, shape)})
			again.Free()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at+".json", values, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.Command(python, "-c", trained, dir, fmt.Sprint(count)).CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	t.Logf("%s", out)
}

func logits(t *testing.T, n *models.Network, x []float32, shape []int) []float32 {
	t.Helper()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	y, err := torch.ToSlice[float32](n.Forward(s, reftest.Tensor(t, x, shape...), models.Pass{}))
	if err != nil {
		t.Fatal(err)
	}
	return y
}

const trained = `
import json, sys, torch
aten = torch.ops.aten
modes = {aten.dropout.default: 2, aten.feature_dropout.default: 2, aten.batch_norm.default: 5}
worst = 0.0
for i in range(int(sys.argv[2])):
    at = f"{sys.argv[1]}/{i}."
    v = json.load(open(at + "json"))
    x = torch.tensor(v["x"]).reshape(v["shape"])
    want = torch.tensor(v["logits"]).reshape(len(x), -1)
    assert torch.allclose(torch.tensor(v["again"]).reshape(want.shape), want, rtol=0, atol=1e-5 * want.abs().max()), (v["network"], v["again"], want)
    m = torch.export.load(at + "pt2").module()
    before = [p.clone() for p in m.parameters()]
    optimizer = torch.optim.SGD(m.parameters(), lr=0.1)
    torch.nn.functional.cross_entropy(m(x), torch.tensor([0, 1, 0])).backward()
    optimizer.step()
    assert all(p.grad is not None and p.isfinite().all() for p in m.parameters()), v["network"]
    assert any(not torch.equal(p, q) for p, q in zip(before, m.parameters())), v["network"]
    m = torch.export.load(at + "pt2").module()
    for n in m.graph.nodes:
        if n.target in modes:
            n.args = n.args[:modes[n.target]] + (False,) + n.args[modes[n.target] + 1:]
    m.recompile()
    with torch.no_grad():
        for clips in (3, 2):
            d = (m(x[:clips]) - want[:clips]).abs().max() / want.abs().max()
            worst = max(worst, float(d))
            assert d <= 1e-5, (v["network"], d)
print(worst)
`
