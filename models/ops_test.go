package models_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// TestEveryOperation has PyTorch's values for a small network around each operation that has a
// file: scripts/make_ops.py writes them, and package op's test knows that none is missing.
func TestEveryOperation(t *testing.T) {
	files, err := filepath.Glob("testdata/ops/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := "aten." + strings.TrimSuffix(filepath.Base(file), ".json") + "."
		t.Run(name, func(t *testing.T) {
			var r struct {
				Arch   *models.Arch
				Logits [][]float64
				Loss   float64
				Grads  map[string]reftest.Digest
			}
			reftest.ReadJSON(t, file, &r)
			found := false
			for _, n := range r.Arch.Nodes {
				found = found || strings.HasPrefix(n.Op, name)
			}
			if !found {
				t.Fatal("its network is without it")
			}
			n := reftest.Network(t, r.Arch)
			const key, clips = 700, 4
			reftest.Fill(t, n, key)
			in := r.Arch.Input
			x := reftest.Tensor(t, reftest.Ramp(clips*in[0]*in[1]*in[2], key+900, 2), clips, in[0], in[1], in[2])
			labels := make([]int64, clips)
			for i := range labels {
				labels[i] = int64(i % r.Arch.Classes)
			}
			s := torch.NewScope(torch.Grad)
			defer s.Close()
			reftest.CheckLogits(t, "logits", n.Forward(s, x, models.Pass{}), r.Logits, beforeSteps)
			evaluated := torch.NewScope(torch.NoGrad)
			defer evaluated.Close()
			few := n.Forward(evaluated, x, models.Pass{})
			reftest.CheckLogits(t, "logits of few clips", few, r.Logits, beforeSteps)
			several := n.Forward(evaluated, evaluated.Cat(0, x, x, x, x, x), models.Pass{})
			reftest.CheckLogits(t, "logits of several clips", several, slices.Repeat(r.Logits, 5), beforeSteps)
			loss := s.CrossEntropy(n.Forward(s, x, models.Pass{Training: true}), reftest.Tensor(t, labels, clips))
			s.Backward(loss)
			if s.Err() != nil {
				t.Fatal(s.Err())
			}
			checkLoss(t, loss, r.Loss, beforeSteps)
			if len(r.Grads) != len(n.Parameters()) {
				t.Errorf("%d gradients of %d parameters", len(r.Grads), len(n.Parameters()))
			}
			for name, want := range r.Grads {
				want.Check(t, "gradient of "+name, s.GradOf(n.Tensor(name)), beforeSteps)
			}
			shapes := map[string][]int{}
			if err := r.Arch.Walk(func(c *op.Call) { shapes[c.Name] = c.Out[1:] }); err != nil {
				t.Fatal(err)
			}
			n.Forward(s, x, models.Pass{After: func(_ *torch.Scope, node *op.Node, out *torch.Tensor) *torch.Tensor {
				if got := out.Shape()[1:]; elements(got) != elements(shapes[node.Name]) || len(got) != len(shapes[node.Name]) {
					t.Errorf("%s gives %v, its shape is said to be %v", node.Name, got, shapes[node.Name])
				}
				return out
			}})
			n.Free()
			for _, clips := range []*torch.Tensor{x, s.Cat(0, x, x, x, x)} {
				freed := torch.NewScope(torch.NoGrad)
				if n.Forward(freed, clips, models.Pass{}); freed.Err() == nil {
					t.Error("a network that was freed is evaluated")
				}
				freed.Close()
			}
		})
	}
}
