package export_test

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/export"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// archive opens a network that PyTorch exported, of which change may change the architecture.
func archive(t *testing.T, path string, change func(a *models.Arch)) *models.Network {
	t.Helper()
	n, _, err := models.OpenExported(path, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		a := n.Arch.Clone()
		n.Free()
		change(a)
		if n, err = models.New(a, torch.CPU, nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(n.Free)
	return n
}

// TestONNXOfArchives looks at the graphs of networks that PyTorch exported; TestONNXOfEachKind compares
// onnxruntime's results.
func TestONNXOfArchives(t *testing.T) {
	for name, want := range map[string][]string{
		"cnn.2.15":       {"Conv", "BatchNormalization", "Elu", "AveragePool", "Gemm"},
		"norms.2.15":     {"Conv", "LeakyRelu", "MaxPool", "ReduceMean", "Tanh", "Gemm"},
		"attention.2.9":  {"LayerNormalization", "Softmax", "LSTM", "ReduceMax", "Gemm"},
		"constants.2.15": {"Gather", "Where", "MatMul", "ReduceMean", "Gemm"},
	} {
		n := archive(t, filepath.Join("../pt2/testdata", name+".pt2"), nil)
		for _, int8 := range []bool{false, true} {
			g := decode(t, n, export.ONNXOptions{Int8: int8}).GetGraph()
			checkGraph(t, g)
			at := 0
			for _, node := range g.GetNode() {
				if at < len(want) && node.GetOpType() == want[at] {
					at++
				}
			}
			if at < len(want) {
				t.Errorf("%s has no %s after %v", name, want[at], want[:at])
			}
			in := g.GetInput()[0].GetType().GetTensorType().GetShape().GetDim()
			if len(in) != 3 || in[0].GetDimParam() != "batch" || in[1].GetDimValue() != 4 || in[2].GetDimValue() != 32 {
				t.Errorf("%s takes %v, not what its archive does", name, in)
			}
			for _, i := range g.GetInitializer() { // of which the weight is computed
				if strings.Contains(i.GetName(), "original") || strings.HasSuffix(i.GetName(), "weight_g") {
					t.Errorf("%s has %s beside the weight that is made of it", name, i.GetName())
				}
			}
		}
	}
}

func TestONNXRefuses(t *testing.T) {
	elu := func(a *models.Arch) *op.Node {
		for i := range a.Nodes {
			if strings.HasPrefix(a.Nodes[i].Op, "aten.elu") {
				return &a.Nodes[i]
			}
		}
		t.Fatal("there is no ELU")
		return nil
	}
	for what, c := range map[string]struct {
		change func(a *models.Arch)
		words  []string
	}{
		"none of ONNX's": {func(a *models.Arch) {
			n := elu(a)
			n.Op, n.Args = "aten.lgamma.default", op.Args{"self": n.Args["self"]}
		}, []string{"cnn.2.15", `"elu`, `"aten.lgamma.default"`}},
		"random numbers": {func(a *models.Arch) {
			n := elu(a)
			n.Op, n.Args = "aten.rand_like.default", op.Args{"self": n.Args["self"]}
		}, []string{"cnn.2.15", `"elu`, `"aten.rand_like.default"`}},
		"a place of a view that is written over": {func(a *models.Arch) {
			n := elu(a)
			n.Op = "aten.elu_.default"
			// The pool takes the old value by another name, which a graph without memory can't follow.
			alias := op.Node{Name: "same", Op: "aten.contiguous.default", Args: op.Args{"self": n.Args["self"]}, Gives: []op.Value{{Name: "same", Shape: n.Gives[0].Shape}}}
			for i := range a.Nodes {
				if a.Nodes[i].Ref("self") == n.Gives[0].Name {
					a.Nodes[i].Args["self"] = op.Ref("same")
				}
			}
			for i := range a.Nodes {
				if &a.Nodes[i] == n {
					a.Nodes = append(a.Nodes[:i:i], append([]op.Node{alias}, a.Nodes[i:]...)...)
					break
				}
			}
		}, []string{"cnn.2.15", `"elu`, "writes over", "same"}},
	} {
		n := archive(t, "../pt2/testdata/cnn.2.15.pt2", c.change)
		err := export.ONNX(&bytes.Buffer{}, n, export.ONNXOptions{})
		if err == nil {
			t.Errorf("%s is written", what)
			continue
		}
		for _, word := range c.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("of %s it says %q, without %s", what, err, word)
			}
		}
	}
}

// TestDamagedArchivesAreErrors changes arguments of graphs that PyTorch exported: each becomes an
// error or a file, and never a panic.
func TestDamagedArchivesAreErrors(t *testing.T) {
	values := rapid.SampledFrom([]any{nil, 0, -1, 3, 1 << 62, []int{}, []int{0, -1}, []int{2, 2, 2, 2, 2}, 0.5, true, "constant", op.Ref(models.Input),
		[]op.Ref{}, []op.Ref{"", models.Input}, op.Size{N: 2, Clips: true}, []op.Size{{N: -3, Clips: true}}, op.Choice("float16")})
	for _, name := range []string{"cnn.2.15", "norms.2.15", "attention.2.9", "constants.2.15"} {
		whole := archive(t, filepath.Join("../pt2/testdata", name+".pt2"), nil).Arch
		rapid.Check(t, func(rt *rapid.T) {
			a := whole.Clone()
			n := &a.Nodes[rapid.IntRange(0, len(a.Nodes)-1).Draw(rt, "node")]
			if args := slices.Sorted(maps.Keys(n.Args)); len(args) > 0 && rapid.Bool().Draw(rt, "argument") {
				n.Args[rapid.SampledFrom(args).Draw(rt, "name")] = values.Draw(rt, "value")
			} else {
				n.Op = a.Nodes[rapid.IntRange(0, len(a.Nodes)-1).Draw(rt, "other")].Op
			}
			if a.Check() != nil || a.Regroup() != nil {
				return
			}
			network, err := models.New(a, torch.CPU, nil)
			if err != nil {
				return
			}
			defer network.Free()
			_ = export.ONNX(&bytes.Buffer{}, network, export.ONNXOptions{})
		})
	}
}
