package torch_test

import (
	"testing"

	"github.com/eegprune/eegprune/torch"
)

func TestCloseFreesWhatTheScopeMade(t *testing.T) {
	x := f32(t, []float32{1, 2}, 2)
	before := torch.LiveTensors()
	s := torch.NewScope(torch.Grad)
	y := s.Add(s.Neg(x), s.Abs(x))
	if n := torch.LiveTensors() - before; n != 3 {
		t.Errorf("three operations made %d tensors", n)
	}
	y.Free()
	check(t, "a scope's tensor after Free, which is not its owner's", y, []int{2}, 0, 0)
	s.Close()
	s.Close()
	if n := torch.LiveTensors() - before; n != 0 {
		t.Errorf("%d tensors are left after Close", n)
	}
	if y.Shape() != nil || y.Len() != 0 {
		t.Errorf("a tensor of a closed scope has shape %v", y.Shape())
	}
}

func TestKeepTakesATensorOutOfItsScope(t *testing.T) {
	before := torch.LiveTensors()
	s := torch.NewScope(torch.NoGrad)
	x := s.Select(f32(t, []float32{1, 2, 3}, 3), 0, []int{2, 1})
	kept, err := s.Keep(x)
	if err != nil {
		t.Fatal(err)
	}
	if kept != x {
		t.Error("Keep returned another tensor")
	}
	other := torch.NewScope(torch.NoGrad)
	for what, f := range map[string]func() (*torch.Tensor, error){
		"keeping twice":            func() (*torch.Tensor, error) { return s.Keep(x) },
		"keeping another scope's":  func() (*torch.Tensor, error) { return other.Keep(s.Neg(x)) },
		"keeping the caller's own": func() (*torch.Tensor, error) { return s.Keep(f32(t, []float32{1}, 1)) },
		"keeping nil":              func() (*torch.Tensor, error) { return s.Keep(nil) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s is no error", what)
		}
	}
	other.Close()
	s.Close()
	check(t, "kept", kept, []int{2}, 3, 2)
	kept.Free()
	kept.Free()
	// The operand above lives until the test ends.
	if n := torch.LiveTensors() - before; n != 2 {
		t.Errorf("%d tensors are left, want the 2 that the test frees later", n)
	}
}

// TestForgottenOwnersAreFreedByTheCollector forgets one of each owner, with the tensors that it owns.
func TestForgottenOwnersAreFreedByTheCollector(t *testing.T) {
	before := torch.LiveTensors()
	func() {
		s := torch.NewScope(torch.Grad)
		x, err := torch.FromSlice([]float32{1, 2}, 2)
		if err != nil {
			t.Fatal(err)
		}
		w, err := torch.Wrap([]float32{1, 2}, 2)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Keep(s.Add(s.Neg(x), w)); err != nil {
			t.Fatal(err)
		}
		if n := torch.LiveTensors() - before; n != 4 {
			t.Fatalf("%d tensors were made, want 4", n)
		}
	}()
	if !eventually(func() bool { return torch.LiveTensors() == before }) {
		t.Errorf("%d tensors are left", torch.LiveTensors()-before)
	}
}

// TestATensorKeepsItsScopeFromTheCollector holds only the last of a chain.
func TestATensorKeepsItsScopeFromTheCollector(t *testing.T) {
	before := torch.LiveTensors()
	y := func() *torch.Tensor {
		s := torch.NewScope(torch.NoGrad)
		return s.Select(s.Reshape(s.To(f32(t, []float32{1, 2}, 2), torch.Float64, torch.CPU), 2), 0, []int{1})
	}()
	if eventually(func() bool { return torch.LiveTensors() == before }) {
		t.Error("the scope was freed while a tensor of it is in use")
	}
	check(t, "the tensor", y, []int{1}, 2)
}

func TestNoGradScopesRecordNothing(t *testing.T) {
	w := leaf(t, []float64{3}, 1)
	s := scope(t, torch.NoGrad)
	s.Backward(s.Sum(s.Mul(w, w)))
	if s.Err() == nil {
		t.Error("Backward of what a NoGrad scope made is no error")
	}
	// A scope's mode is its own, whatever another did on the same thread.
	g, n := scope(t, torch.Grad), scope(t, torch.NoGrad)
	constant := n.Mul(w, w)
	g.Backward(g.Sum(g.Add(g.Mul(w, w), constant)))
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	check(t, "gradient of w*w and a constant", g.GradOf(w), []int{1}, 6)
}

func TestGradientsAddUpUntilTheyAreForgotten(t *testing.T) {
	w := leaf(t, []float64{3, 1}, 2)
	o, err := torch.NewSGD([]*torch.Tensor{w}, torch.SGDOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Free()
	backward := func() *torch.Scope {
		s := scope(t, torch.Grad)
		s.Backward(s.Sum(s.Mul(w, w)))
		return s
	}
	check(t, "once", gradient(t, backward(), w), []int{2}, 6, 2)
	check(t, "twice", gradient(t, backward(), w), []int{2}, 12, 4)
	if err := o.ZeroGrad(); err != nil {
		t.Fatal(err)
	}
	check(t, "after ZeroGrad", gradient(t, backward(), w), []int{2}, 6, 2)
	s := scope(t, torch.Grad)
	s.Backward(s.Sum(s.Mul(s.Detach(w), w)))
	check(t, "through one factor only", s.GradOf(w), []int{2}, 6+3, 2+1)
}

func gradient(t *testing.T, s *torch.Scope, w *torch.Tensor) *torch.Tensor {
	t.Helper()
	g := s.GradOf(w)
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return g
}
