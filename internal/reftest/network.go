package reftest

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// Clips are numbers of [Ramp] between -2 and 2 in a shape [clips, ...].
func Clips(t testing.TB, key uint64, shape ...int) *torch.Tensor {
	t.Helper()
	size := 1
	for _, n := range shape {
		size *= n
	}
	x, err := torch.FromSlice(Ramp(size, key, 2), shape...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Free)
	return x
}

// Logits are the logits of clips in an evaluation.
func Logits(t rapid.TB, n *models.Network, x *torch.Tensor) []float32 {
	t.Helper()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	v, err := torch.ToSlice[float32](s.Clone(n.Forward(s, x, models.Pass{})))
	if err = errors.Join(s.Err(), err); err != nil {
		t.Fatal(err)
	}
	return v
}

// Losses are the losses of a copy that is trained on clips of labels 0, 1, 0, ... by SGD,
// after torch.manual_seed(7).
func Losses(t testing.TB, n *models.Network, x *torch.Tensor, steps int, rate float64) []float32 {
	t.Helper()
	n, err := n.Clone()
	if err != nil {
		t.Fatal(err)
	}
	defer n.Free()
	g, err := torch.NewGenerator(torch.CPU, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	opt, err := torch.NewSGD(n.Parameters(), torch.SGDOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer opt.Free()
	labels := make([]int64, x.Shape()[0])
	for i := range labels {
		labels[i] = int64(i % 2)
	}
	y, err := torch.FromSlice(labels, len(labels))
	if err != nil {
		t.Fatal(err)
	}
	defer y.Free()
	losses := make([]float32, steps)
	for i := range losses {
		if err := opt.ZeroGrad(); err != nil {
			t.Fatal(err)
		}
		s := torch.NewScope(torch.Grad)
		n.Constrain(s)
		loss := s.CrossEntropy(n.Forward(s, x, models.Pass{Training: true, Generator: g}), y)
		s.Backward(loss)
		v, err := torch.ToSlice[float32](s.Detach(loss))
		if err = errors.Join(s.Err(), err); err == nil {
			err = opt.Step(rate)
		}
		s.Close()
		if err != nil {
			t.Fatal(err)
		}
		losses[i] = v[0]
	}
	return losses
}

// Near holds numbers to others, to 1e-5 of the largest.
func Near(t testing.TB, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	scale := 0.0
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= 1e-5*scale) {
			t.Errorf("%s: %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

// Silence sets a tensor to zero but for the kept indices along a dimension.
func Silence(t rapid.TB, w *torch.Tensor, dim int, kept []int) {
	t.Helper()
	v, err := torch.ToSlice[float32](w)
	if err != nil {
		t.Fatal(err)
	}
	shape, inner := w.Shape(), 1
	for _, size := range shape[dim+1:] {
		inner *= size
	}
	for i := range v {
		if !slices.Contains(kept, i/inner%shape[dim]) {
			v[i] = 0
		}
	}
	zeroed, err := torch.FromSlice(v, shape...)
	if err != nil {
		t.Fatal(err)
	}
	defer zeroed.Free()
	if err := w.CopyFrom(zeroed); err != nil {
		t.Fatal(err)
	}
}

// Computed returns the same architecture with a graph that computes an argument of each layer, such
// as its weight, from the tensor that the layer took.
func Computed(a *models.Arch, arg string) *models.Arch {
	b := a.Clone()
	var nodes []op.Node
	for _, n := range b.Nodes {
		if ref, ok := n.Args[arg].(op.Ref); ok {
			if t := b.Tensor(string(ref)); t != nil {
				name := n.Name + "_" + arg
				nodes = append(nodes, op.Node{Name: name, Op: "aten.mul.Scalar", Args: op.Args{"self": ref, "other": 1.0},
					Gives: []op.Value{{Name: name, Shape: t.Shape}}})
				n.Args[arg] = op.Ref(name)
				if count, ok := n.Args["num_batches_tracked"].(op.Ref); ok { // which libtorch's operation doesn't have
					delete(n.Args, "num_batches_tracked")
					b.Tensors = slices.DeleteFunc(b.Tensors, func(t op.Tensor) bool { return t.Name == string(count) })
				}
			}
		}
		nodes = append(nodes, n)
	}
	b.Nodes = nodes
	return b
}

// Mixed is a network that returns, for each clip, the logits of another one of its batch.
func Mixed(a *models.Arch) *models.Arch {
	b := a.Clone()
	b.Nodes = append(b.Nodes, op.Node{Name: "flip", Op: "aten.flip.default", Args: op.Args{"self": op.Ref(a.Logits()), "dims": []int{0}},
		Gives: []op.Value{{Name: "flip", Shape: []int{op.Batch, a.Classes}}}})
	b.Output = "flip"
	return b
}
