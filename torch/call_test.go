package torch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/torch"
)

func TestCallByName(t *testing.T) {
	s := scope(t, torch.NoGrad)
	x := f32(t, []float32{1, 5, 3, 2, 8, 4}, 1, 1, 2, 3)
	check(t, "a list of numbers", s.Call("aten.max_pool2d.default", torch.Arguments{"self": x, "kernel_size": []int{2, 2}, "stride": []int{1, 1}}, nil), []int{1, 1, 1, 2}, 8, 8)
	check(t, "an overload", s.Call("aten.add.Tensor", torch.Arguments{"self": x, "other": x, "alpha": 2.0}, nil), []int{1, 1, 2, 3}, 3, 15, 9, 6, 24, 12)
	check(t, "tensors", s.Call("aten.cat.default", torch.Arguments{"tensors": []*torch.Tensor{x, x}, "dim": 2}, nil), []int{1, 1, 4, 3}, 1, 5, 3, 2, 8, 4, 1, 5, 3, 2, 8, 4)
	check(t, "none", s.Call("aten.clamp.default", torch.Arguments{"self": x, "min": nil, "max": 4}, nil), []int{1, 1, 2, 3}, 1, 4, 3, 2, 4, 4)
	check(t, "a text", s.Call("aten.gelu.default", torch.Arguments{"self": s.MulScalar(x, 0), "approximate": "tanh"}, nil), []int{1, 1, 2, 3}, 0, 0, 0, 0, 0, 0)
	check(t, "the first of two", s.Call("aten.max.dim", torch.Arguments{"self": x, "dim": 3, "keepdim": false}, nil), []int{1, 1, 2}, 5, 8)
}

func TestCallSaysWhatIsWrong(t *testing.T) {
	x := f32(t, []float32{1}, 1, 1)
	for says, call := range map[string]struct {
		name string
		args torch.Arguments
	}{
		"no operation aten::transformer.": {"aten.transformer.default", nil},
		"no operation aten::add.Nothing":  {"aten.add.Nothing", nil},
		"needs the argument other":        {"aten.add.Tensor", torch.Arguments{"self": x}},
		"argument alpha":                  {"aten.add.Tensor", torch.Arguments{"self": x, "other": x, "alpha": "much"}},
		"argument self: a tensor":         {"aten.relu.default", torch.Arguments{"self": "x"}},
		"or others":                       {"aten.relu.default", torch.Arguments{"self": x, "slope": 3}},
		"can't be a map":                  {"aten.relu.default", torch.Arguments{"self": map[int]int{}}},
	} {
		s := torch.NewScope(torch.NoGrad)
		quietly(t, call.name, func() { s.Call(call.name, call.args, nil) })
		if s.Err() == nil || !strings.Contains(s.Err().Error(), says) {
			t.Errorf("error %v, want one that says %q", s.Err(), says)
		}
		s.Close()
	}
}

// TestCallDrawsAsTheOperationsThatHaveAGenerator compares dropout, which libtorch gives no generator, with
// dropout that has one, draw after draw.
func TestCallDrawsAsTheOperationsThatHaveAGenerator(t *testing.T) {
	x := make([]float32, 100)
	for i := range x {
		x[i] = 1
	}
	draw := func(dropout func(s *torch.Scope, x *torch.Tensor, g *torch.Generator) *torch.Tensor) []float32 {
		g, err := torch.NewGenerator(torch.CPU, 5)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Free()
		s := scope(t, torch.NoGrad)
		in := f32(t, x, 10, 10)
		var all []float32
		for range 3 {
			v, err := torch.ToSlice[float32](dropout(s, in, g))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v...)
		}
		return all
	}
	own := draw(func(s *torch.Scope, x *torch.Tensor, g *torch.Generator) *torch.Tensor {
		return s.Dropout(x, 0.5, false, g)
	})
	called := draw(func(s *torch.Scope, x *torch.Tensor, g *torch.Generator) *torch.Tensor {
		return s.Call("aten.dropout.default", torch.Arguments{"input": x, "p": 0.5, "train": true}, g)
	})
	mixed := draw(func(s *torch.Scope, x *torch.Tensor, g *torch.Generator) *torch.Tensor {
		s.Dropout(x, 0.5, false, g)
		return s.Call("aten.dropout.default", torch.Arguments{"input": x, "p": 0.5, "train": true}, g)
	})
	if !slices.Equal(own, called) {
		t.Error("dropout by its name draws otherwise")
	}
	if slices.Equal(mixed[:100], own[:100]) || !slices.Equal(mixed[:100], own[100:200]) {
		t.Error("dropout by its name does not go on where the other left the generator")
	}
}
