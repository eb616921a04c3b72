package torch_test

import (
	"math"
	"testing"

	"github.com/eegprune/eegprune/torch"
)

func TestElementwiseOperations(t *testing.T) {
	s := scope(t, torch.NoGrad)
	x := f32(t, []float32{-2, -0.5, 0, 3}, 4)
	e := math.Exp
	// SELU's constants as its authors give them.
	const lambda, alpha = 1.0507009873554805, 1.6732632423543772
	selu := func(v float64) float64 { return lambda * alpha * (e(v) - 1) }
	for what, c := range map[string]struct {
		got  *torch.Tensor
		want []float64
	}{
		"relu":       {s.ReLU(x), []float64{0, 0, 0, 3}},
		"selu":       {s.SELU(x), []float64{selu(-2), selu(-0.5), 0, lambda * 3}},
		"elu":        {s.ELU(x, 2), []float64{2 * (e(-2) - 1), 2 * (e(-0.5) - 1), 0, 3}},
		"leaky_relu": {s.LeakyReLU(x, 0.1), []float64{-0.2, -0.05, 0, 3}},
		"abs":        {s.Abs(x), []float64{2, 0.5, 0, 3}},
		"neg":        {s.Neg(x), []float64{2, 0.5, 0, -3}},
		"sign":       {s.Sign(x), []float64{-1, -1, 0, 1}},
		"exp":        {s.Exp(x), []float64{e(-2), e(-0.5), 1, e(3)}},
		"log":        {s.Log(x), []float64{math.NaN(), math.NaN(), math.Inf(-1), math.Log(3)}},
		"sqrt":       {s.Sqrt(x), []float64{math.NaN(), math.NaN(), 0, math.Sqrt(3)}},
		"isnan":      {s.IsNaN(s.Sqrt(x)), []float64{1, 1, 0, 0}},
		"add scalar": {s.AddScalar(x, 1), []float64{-1, 0.5, 1, 4}},
		"mul scalar": {s.MulScalar(x, -2), []float64{4, 1, 0, -6}},
		"pow":        {s.Pow(x, 2), []float64{4, 0.25, 0, 9}},
		"gt":         {s.Gt(x, 0), []float64{0, 0, 0, 1}},
		"le":         {s.Le(x, 0), []float64{1, 1, 1, 0}},
		"clone":      {s.Clone(x), []float64{-2, -0.5, 0, 3}},
		"detach":     {s.Detach(x), []float64{-2, -0.5, 0, 3}},
		"to int64":   {s.To(x, torch.Int64, torch.CPU), []float64{-2, 0, 0, 3}},
		"to bool":    {s.To(x, torch.Bool, torch.CPU), []float64{1, 1, 0, 1}},
	} {
		check(t, what, c.got, []int{4}, c.want...)
	}
	if err := s.Err(); err != nil {
		t.Error(err)
	}
}

func TestOperationsOfTwoTensorsBroadcast(t *testing.T) {
	s := scope(t, torch.NoGrad)
	column, row := f32(t, []float32{1, 4}, 2, 1), f32(t, []float32{1, 2, 4}, 3)
	for what, c := range map[string]struct {
		got  *torch.Tensor
		want []float64
	}{
		"add":     {s.Add(column, row), []float64{2, 3, 5, 5, 6, 8}},
		"sub":     {s.Sub(column, row), []float64{0, -1, -3, 3, 2, 0}},
		"mul":     {s.Mul(column, row), []float64{1, 2, 4, 4, 8, 16}},
		"div":     {s.Div(column, row), []float64{1, 0.5, 0.25, 4, 2, 1}},
		"maximum": {s.Maximum(column, row), []float64{1, 2, 4, 4, 4, 4}},
		"eq":      {s.Eq(column, row), []float64{1, 0, 0, 0, 0, 1}},
	} {
		check(t, what, c.got, []int{2, 3}, c.want...)
	}
	a, b := f32(t, []float32{1, 2, 3, 4}, 2, 2), f32(t, []float32{5, 6, 7, 8}, 2, 2)
	check(t, "matmul", s.MatMul(a, b), []int{2, 2}, 19, 22, 43, 50)
	check(t, "matmul of vectors", s.MatMul(row, row), []int{}, 21)
}

func TestReductions(t *testing.T) {
	s := scope(t, torch.NoGrad)
	x := f32(t, []float32{1, 2, 3, 4, 5, 6}, 2, 3)
	check(t, "sum", s.Sum(x), []int{}, 21)
	check(t, "sum over rows", s.Sum(x, 0), []int{3}, 5, 7, 9)
	check(t, "sum over both", s.Sum(x, 0, 1), []int{}, 21)
	check(t, "mean", s.Mean(x), []int{}, 3.5)
	check(t, "mean over the last", s.Mean(x, -1), []int{2}, 2, 5)
	check(t, "argmax", s.Argmax(x, 1), []int{2}, 2, 2)
	check(t, "argmax over rows", s.Argmax(x, 0), []int{3}, 1, 1, 1)
	if got := s.Argmax(x, 0).Info().DType; got != torch.Int64 {
		t.Errorf("argmax gives %v, want int64", got)
	}
	thirds := s.Log(f32(t, []float32{1, 2, 6, 3, 3, 3}, 2, 3))
	check(t, "softmax", s.Softmax(thirds, 1), []int{2, 3}, 1/9.0, 2/9.0, 6/9.0, 1/3.0, 1/3.0, 1/3.0)
	check(t, "log_softmax", s.LogSoftmax(thirds, 1), []int{2, 3},
		math.Log(1/9.0), math.Log(2/9.0), math.Log(6/9.0), math.Log(1/3.0), math.Log(1/3.0), math.Log(1/3.0))
}

func TestShaping(t *testing.T) {
	s := scope(t, torch.NoGrad)
	x := f32(t, []float32{1, 2, 3, 4, 5, 6}, 1, 2, 3)
	check(t, "reshape", s.Reshape(x, 3, -1), []int{3, 2}, 1, 2, 3, 4, 5, 6)
	check(t, "flatten", s.Flatten(x, 1), []int{1, 6}, 1, 2, 3, 4, 5, 6)
	check(t, "narrow", s.Narrow(x, 2, 1, 2), []int{1, 2, 2}, 2, 3, 5, 6)
	check(t, "cat", s.Cat(2, x, s.Narrow(x, 2, 0, 1)), []int{1, 2, 4}, 1, 2, 3, 1, 4, 5, 6, 4)
	check(t, "select", s.Select(x, 2, []int{2, 0, 2}), []int{1, 2, 3}, 3, 1, 3, 6, 4, 6)
	rows := f32(t, []float32{3, 4, 0.3, 0.4}, 2, 2)
	check(t, "renorm", s.Renorm(rows, 2), []int{2, 2}, 1.2, 1.6, 0.3, 0.4)
	check(t, "select of nothing", s.Select(x, 2, nil), []int{1, 2, 0})
	check(t, "index_select", s.IndexSelect(x, 1, i64(t, []int64{1}, 1)), []int{1, 1, 3}, 4, 5, 6)
	check(t, "zero_pad2d", s.ZeroPad2d(s.Reshape(f32(t, []float32{7}, 1), 1, 1, 1, 1), [4]int{1, 2, 0, 1}), []int{1, 1, 2, 4},
		0, 7, 0, 0, 0, 0, 0, 0)
	if err := s.Err(); err != nil {
		t.Error(err)
	}
}

func TestInPlaceOperationsChangeTheirTarget(t *testing.T) {
	s := scope(t, torch.Grad)
	x, y := f32(t, []float32{1, 2}, 2), f32(t, []float32{3, 5}, 2)
	s.AddInPlace(x, y, -2)
	check(t, "add", x, []int{2}, -5, -8)
	s.MulInPlace(x, y)
	check(t, "mul", x, []int{2}, -15, -40)
	part := s.Narrow(x, 0, 1, 1)
	s.MulInPlace(part, part)
	check(t, "a view shares memory", x, []int{2}, -15, 1600)
	clone := s.Clone(x)
	s.AddInPlace(clone, clone, 1)
	check(t, "a clone does not", x, []int{2}, -15, 1600)
}

func TestConvolutionByHand(t *testing.T) {
	s := scope(t, torch.NoGrad)
	x := f32(t, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 1, 3, 3)
	diagonal, bias := f32(t, []float32{1, 0, 0, 1}, 1, 1, 2, 2), f32(t, []float32{100}, 1)
	check(t, "plain", s.Conv2d(x, diagonal, nil, torch.Conv2dOptions{}), []int{1, 1, 2, 2}, 6, 8, 12, 14)
	check(t, "bias", s.Conv2d(x, diagonal, bias, torch.Conv2dOptions{}), []int{1, 1, 2, 2}, 106, 108, 112, 114)
	check(t, "stride and padding", s.Conv2d(x, diagonal, nil, torch.Conv2dOptions{Stride: [2]int{2, 3}, Padding: [2]int{1, 1}}),
		[]int{1, 1, 2, 2}, 1, 0, 7, 6)
	check(t, "dilation", s.Conv2d(x, diagonal, nil, torch.Conv2dOptions{Dilation: [2]int{2, 2}}), []int{1, 1, 1, 1}, 10)
	two := f32(t, []float32{1, 10}, 1, 2, 1, 1)
	check(t, "groups", s.Conv2d(two, f32(t, []float32{2, 3}, 2, 1, 1, 1), nil, torch.Conv2dOptions{Groups: 2}), []int{1, 2, 1, 1}, 2, 30)
	check(t, "avg_pool2d drops what does not fit", s.AvgPool2d(x, [2]int{2, 2}, [2]int{2, 2}), []int{1, 1, 1, 1}, 3)
	check(t, "avg_pool2d with overlap", s.AvgPool2d(x, [2]int{1, 2}, [2]int{2, 1}), []int{1, 1, 2, 2}, 1.5, 2.5, 7.5, 8.5)
	check(t, "linear", s.Linear(f32(t, []float32{1, 2}, 1, 2), f32(t, []float32{3, 4, 5, 6, 7, 8}, 3, 2), f32(t, []float32{0, 1, 2}, 3)),
		[]int{1, 3}, 11, 18, 25)
}

func TestCrossEntropyByHand(t *testing.T) {
	s := scope(t, torch.NoGrad)
	logits := s.Log(f32(t, []float32{1, 3, 4, 1}, 2, 2)) // probabilities 1/4, 3/4 and 4/5, 1/5
	check(t, "cross entropy", s.CrossEntropy(logits, i64(t, []int64{1, 1}, 2)), []int{}, -(math.Log(0.75)+math.Log(0.2))/2)
}

func TestBatchNormByHand(t *testing.T) {
	s := scope(t, torch.NoGrad)
	b := torch.BatchNorm{Weight: f32(t, []float32{2, 1}, 2), Bias: f32(t, []float32{0, -1}, 2), Mean: f32(t, []float32{0, 0}, 2),
		Variance: f32(t, []float32{1, 1}, 2), Count: i64(t, []int64{0}), Momentum: 0.1, Eps: 1e-5}
	// Channel 0 is 1 and 3, channel 1 is 5 and 7: variance 1, unbiased 2.
	x := f32(t, []float32{1, 5, 3, 7}, 2, 2, 1, 1)
	one := 1 / math.Sqrt(1+1e-5)
	check(t, "training", s.BatchNorm(x, b, true), []int{2, 2, 1, 1}, -2*one, -one-1, 2*one, one-1)
	check(t, "running mean", b.Mean, []int{2}, 0.2, 0.6)
	check(t, "running variance", b.Variance, []int{2}, 0.9+0.1*2, 0.9+0.1*2)
	check(t, "batches", b.Count, []int{}, 1)
	r := func(v float64) float64 { return math.Sqrt(v + 1e-5) }
	check(t, "evaluation", s.BatchNorm(x, b, false), []int{2, 2, 1, 1},
		2*0.8/r(1.1), 4.4/r(1.1)-1, 2*2.8/r(1.1), 6.4/r(1.1)-1)
	check(t, "evaluation counts nothing", b.Count, []int{}, 1)

	// One value a channel has no variance: PyTorch refuses it, and so must we, with
	// the statistics untouched.
	s.BatchNorm(f32(t, []float32{1, 5}, 1, 2, 1, 1), b, true)
	if s.Err() == nil {
		t.Error("training on one value a channel is no error")
	}
	check(t, "running variance afterwards", b.Variance, []int{2}, 1.1, 1.1)
	check(t, "batches afterwards", b.Count, []int{}, 1)
}
