package torch_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/torch"
)

func TestErrorsNameTheOperationAndTheShapes(t *testing.T) {
	x := func(shape ...int) *torch.Tensor {
		n := 1
		for _, d := range shape {
			n *= d
		}
		return f32(t, make([]float32, n), shape...)
	}
	labels := i64(t, []int64{0, 7}, 2)
	for _, c := range []struct {
		op   string
		says []string
		run  func(s *torch.Scope)
	}{
		{"add", []string{"[2 3]", "[2]"}, func(s *torch.Scope) { s.Add(x(2, 3), x(2)) }},
		{"matmul", []string{"[2 3]", "[4 5]"}, func(s *torch.Scope) { s.MatMul(x(2, 3), x(4, 5)) }},
		{"conv2d", []string{"[1 3 9 9]", "[8 4 3 3]"}, func(s *torch.Scope) { s.Conv2d(x(1, 3, 9, 9), x(8, 4, 3, 3), nil, torch.Conv2dOptions{}) }},
		{"conv2d", []string{"[1 4 9 9]", "[8 4 3 3]", "[7]"}, func(s *torch.Scope) { s.Conv2d(x(1, 4, 9, 9), x(8, 4, 3, 3), x(7), torch.Conv2dOptions{}) }},
		{"conv2d", []string{"[1 1 2 2]", "[1 1 3 3]"}, func(s *torch.Scope) { s.Conv2d(x(1, 1, 2, 2), x(1, 1, 3, 3), nil, torch.Conv2dOptions{}) }},
		{"conv2d", []string{"stride"}, func(s *torch.Scope) {
			s.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), nil, torch.Conv2dOptions{Stride: [2]int{-1, 1}})
		}},
		{"linear", []string{"[2 3]", "[5 4]"}, func(s *torch.Scope) { s.Linear(x(2, 3), x(5, 4), nil) }},
		{"cat", []string{"[2 3]", "[3 2]"}, func(s *torch.Scope) { s.Cat(1, x(2, 3), x(3, 2)) }},
		{"cat", nil, func(s *torch.Scope) { s.Cat(0) }},
		{"reshape", []string{"[2 3]", "5"}, func(s *torch.Scope) { s.Reshape(x(2, 3), 5) }},
		{"narrow", []string{"[2 3]"}, func(s *torch.Scope) { s.Narrow(x(2, 3), 1, 2, 2) }},
		{"index_select", []string{"[2 3]", "[1]"}, func(s *torch.Scope) { s.Select(x(2, 3), 0, []int{2}) }},
		{"index_select", []string{"[2 3]", "[1]"}, func(s *torch.Scope) { s.Select(x(2, 3), 0, []int{-1}) }},
		{"argmax", []string{"[2 3]"}, func(s *torch.Scope) { s.Argmax(x(2, 3), 2) }},
		{"sum", []string{"[2 3]"}, func(s *torch.Scope) { s.Sum(x(2, 3), 5) }},
		{"avg_pool2d", []string{"[1 1 3 3]"}, func(s *torch.Scope) { s.AvgPool2d(x(1, 1, 3, 3), [2]int{4, 4}, [2]int{1, 1}) }},
		{"cross_entropy", []string{"[2 3]", "[3]"}, func(s *torch.Scope) { s.CrossEntropy(x(2, 3), i64(t, make([]int64, 3), 3)) }},
		{"cross_entropy", []string{"7 is out of bounds"}, func(s *torch.Scope) { s.CrossEntropy(x(2, 3), labels) }},
		{"mul_", []string{"[2]", "[3]"}, func(s *torch.Scope) { s.MulInPlace(x(2), x(3)) }},
		{"add_", []string{"[2]", "[3]"}, func(s *torch.Scope) { s.AddInPlace(x(2), x(3), 1) }},
		{"backward", []string{"[2]"}, func(s *torch.Scope) { s.Backward(x(2)) }},
		{"grad", []string{"no gradient"}, func(s *torch.Scope) { s.GradOf(x(2)) }},
		{"grad", []string{"[1]", "parameters only"}, func(s *torch.Scope) {
			w := leaf(t, []float64{1}, 1)
			s.GradOf(s.MulScalar(w, 2))
		}},
	} {
		s := torch.NewScope(torch.Grad)
		c.run(s)
		err := s.Err()
		if err == nil || !strings.HasPrefix(err.Error(), "torch: "+c.op) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line that begins with torch: %s", err, c.op)
		}
		for _, part := range c.says {
			if err != nil && !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %s", err, part)
			}
		}
		s.Close()
	}
}

func TestErrorCodes(t *testing.T) {
	_, err := torch.Zeros(1<<20, 1<<24) // 64 TiB
	var e *torch.Error
	if !errors.As(err, &e) || e.Code != torch.OutOfMemory {
		t.Errorf("more memory than there is: error %v, want code OutOfMemory", err)
	}
	s := scope(t, torch.NoGrad)
	s.Add(f32(t, make([]float32, 2), 2), f32(t, make([]float32, 3), 3))
	if !errors.As(s.Err(), &e) || e.Code != torch.Invalid || e.Op != "add" || len(e.Shapes) != 2 {
		t.Errorf("add of two shapes: %+v, want code Invalid, the operation and both shapes", e)
	}
}

// TestFirstErrorOfAScopeStays goes on after an error as nested expressions do.
func TestFirstErrorOfAScopeStays(t *testing.T) {
	s := scope(t, torch.Grad)
	a, b := f32(t, make([]float32, 2), 2), f32(t, []float32{1, 2, 3}, 3)
	before := torch.LiveTensors()
	bad := s.Add(a, b)
	first := s.Err()
	nested := s.Mean(s.ReLU(s.Cat(0, bad, s.Mul(bad, b), s.Reshape(b, 7))))
	s.Backward(nested)
	s.MulInPlace(b, b)
	s.Fail(errors.New("a later one"))
	if s.Err() != first || !strings.Contains(first.Error(), "add") {
		t.Errorf("the scope's error is %v, want still %v", s.Err(), first)
	}
	check(t, "what an operation after the error would have changed", b, []int{3}, 1, 2, 3)
	if n := torch.LiveTensors(); n != before {
		t.Errorf("%d tensors were made after the error", n-before)
	}
	if _, err := s.Keep(nested); err != first {
		t.Errorf("keeping what a failed operation gave: %v, want the scope's error", err)
	}
	if v, err := nested.Item(); err == nil {
		t.Errorf("a failed operation gave a tensor of value %v", v)
	}
	nested.Free()
	own := scope(t, torch.NoGrad)
	mine := errors.New("mine")
	own.Fail(mine)
	if own.Add(a, a); own.Err() != mine {
		t.Errorf("Fail left the scope's error at %v", own.Err())
	}
}

// unusable returns tensors that no operation may touch.
func unusable(t *testing.T) map[string]*torch.Tensor {
	freed, err := torch.Zeros(2)
	if err != nil {
		t.Fatal(err)
	}
	freed.Free()
	s := torch.NewScope(torch.NoGrad)
	closed := s.Neg(f32(t, []float32{1, 2}, 2))
	s.Close()
	return map[string]*torch.Tensor{"nil": nil, "zero": {}, "freed": freed, "of a closed scope": closed}
}

// arguments makes zero values for a method's parameters, with x as every tensor.
func arguments(f reflect.Type, x *torch.Tensor, g *torch.Generator) (args []reflect.Value, takesTensor bool) {
	for i := range f.NumIn() {
		in := f.In(i)
		switch in {
		case reflect.TypeFor[*torch.Tensor]():
			args, takesTensor = append(args, reflect.ValueOf(x)), true
		case reflect.TypeFor[[]*torch.Tensor]():
			args, takesTensor = append(args, reflect.ValueOf([]*torch.Tensor{x, x})), true
		case reflect.TypeFor[*torch.Generator]():
			args = append(args, reflect.ValueOf(g))
		default:
			args = append(args, reflect.Zero(in))
		}
	}
	return args, takesTensor
}

func invoke(t *testing.T, what string, f reflect.Value, args []reflect.Value) (out []reflect.Value) {
	quietly(t, what, func() {
		if f.Type().IsVariadic() {
			out = f.CallSlice(args)
		} else {
			out = f.Call(args)
		}
	})
	return out
}

// TestScopesRefuseUnusableTensors and those after it go through every method there is,
// so that a new one can't be forgotten.
func TestScopesRefuseUnusableTensors(t *testing.T) {
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	tried := 0
	for state, x := range unusable(t) {
		for i := range reflect.TypeFor[*torch.Scope]().NumMethod() {
			s := torch.NewScope(torch.Grad)
			m := reflect.ValueOf(s).Method(i)
			name := reflect.TypeFor[*torch.Scope]().Method(i).Name + " of a tensor that is " + state
			args, takes := arguments(m.Type(), x, g)
			if !takes {
				s.Close()
				continue
			}
			tried++
			out := invoke(t, name, m, args)
			failed := s.Err() != nil
			for _, v := range out {
				if err, ok := v.Interface().(error); ok && err != nil {
					failed = true
				}
			}
			if !failed {
				t.Errorf("%s is no error", name)
			}
			s.Close()
		}
	}
	if tried < 4*40 {
		t.Errorf("only %d calls were tried", tried)
	}
}

func TestScopesThatAreNotOpenRefuseEverything(t *testing.T) {
	x := f32(t, []float32{1, 2}, 2)
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	before := torch.LiveTensors()
	for i := range reflect.TypeFor[*torch.Scope]().NumMethod() {
		closed := torch.NewScope(torch.Grad)
		closed.Close()
		for state, s := range map[string]*torch.Scope{"nil": nil, "zero": {}, "closed": closed} {
			m := reflect.ValueOf(s).Method(i)
			name := reflect.TypeFor[*torch.Scope]().Method(i).Name + " on a scope that is " + state
			args, takes := arguments(m.Type(), x, g)
			for _, v := range invoke(t, name, m, args) {
				if made, ok := v.Interface().(*torch.Tensor); ok && made != nil && made.Info().Shape != nil {
					t.Errorf("%s gives a tensor", name)
				}
			}
			if takes && s.Err() == nil && !strings.HasPrefix(name, "Keep") {
				t.Errorf("%s leaves no error", name)
			}
		}
	}
	if n := torch.LiveTensors(); n != before {
		t.Errorf("%d tensors were made", n-before)
	}
	check(t, "the operand", x, []int{2}, 1, 2)
}

func TestUnusableTensorsGeneratorsAndOptimizersReturnErrors(t *testing.T) {
	x := f32(t, []float32{1, 2}, 2)
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	g.Free()
	o, err := torch.NewSGD([]*torch.Tensor{x}, torch.SGDOptions{})
	if err != nil {
		t.Fatal(err)
	}
	o.Free()
	receivers := map[string]any{"nil generator": (*torch.Generator)(nil), "zero generator": &torch.Generator{}, "freed generator": g,
		"nil optimizer": (*torch.Optimizer)(nil), "zero optimizer": &torch.Optimizer{}, "freed optimizer": o}
	for state, x := range unusable(t) {
		receivers["tensor that is "+state] = x
	}
	for what, r := range receivers {
		for i := range reflect.TypeOf(r).NumMethod() {
			name := reflect.TypeOf(r).Method(i).Name + " of a " + what
			m := reflect.ValueOf(r).Method(i)
			args, _ := arguments(m.Type(), x, g)
			for k, v := range invoke(t, name, m, args) {
				if m.Type().Out(k) == reflect.TypeFor[error]() && v.IsNil() {
					t.Errorf("%s is no error", name)
				}
			}
		}
	}
	for state, bad := range unusable(t) {
		live, err := torch.NewGenerator(torch.CPU, 1)
		if err != nil {
			t.Fatal(err)
		}
		_, sliceErr := torch.ToSlice[float32](bad)
		_, sgdErr := torch.NewSGD([]*torch.Tensor{x, bad}, torch.SGDOptions{})
		_, adamErr := torch.NewAdam([]*torch.Tensor{bad}, torch.AdamOptions{})
		for name, err := range map[string]error{
			"Read": torch.Read(bad, make([]float32, 2)), "ToSlice": sliceErr,
			"CopyFrom": x.CopyFrom(bad), "NewSGD": sgdErr, "NewAdam": adamErr,
			"Uniform": live.Uniform(bad, 0, 1), "Normal": live.Normal(bad, 0, 1), "SetState": live.SetState(bad),
			"LoadState to":     torch.LoadState([]torch.Named{{Name: "x", Tensor: bad}}, map[string]*torch.Tensor{"x": x}),
			"LoadState from":   torch.LoadState([]torch.Named{{Name: "x", Tensor: x}}, map[string]*torch.Tensor{"x": bad}),
			"WriteSafetensors": torch.WriteSafetensors(&strings.Builder{}, []torch.Named{{Name: "x", Tensor: bad}}, nil),
		} {
			if err == nil {
				t.Errorf("%s with a tensor that is %s is no error", name, state)
			}
		}
		live.Free()
	}
	if _, err := torch.NewSGD(nil, torch.SGDOptions{}); err == nil {
		t.Error("an optimizer of nothing is no error")
	}
}

// TestBatchNormWithoutTensorsIsAnError covers one whose fields were not set.
func TestBatchNormWithoutTensorsIsAnError(t *testing.T) {
	x := f32(t, make([]float32, 4), 1, 1, 2, 2)
	s := torch.NewScope(torch.Grad)
	defer s.Close()
	quietly(t, "batch_norm", func() { s.BatchNorm(x, torch.BatchNorm{}, true) })
	if s.Err() == nil {
		t.Error("it is none")
	}
}
