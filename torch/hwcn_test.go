package torch_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/torch"
)

// A drawn convolution with its fused operations, and the output of Conv2d and the layers after it.
type drawnConvolution struct {
	x, weight, bias *torch.Tensor
	o               torch.HWCNOptions
	want            *torch.Tensor
}

// normal returns a tensor of s with normally distributed numbers.
func normal(t interface{ Fatal(...any) }, s *torch.Scope, g *torch.Generator, shape ...int) *torch.Tensor {
	x, err := torch.Zeros(shape...)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Free()
	if err := g.Normal(x, 0, 1); err != nil {
		t.Fatal(err)
	}
	return s.Clone(x)
}

func drawConvolution(t *rapid.T, s *torch.Scope, clips, widest int) drawnConvolution {
	n := func(low, high int, what string) int { return rapid.IntRange(low, high).Draw(t, what) }
	groups := n(1, 3, "groups")
	channels := rapid.OneOf(rapid.IntRange(1, 9), rapid.SampledFrom([]int{64, 70})) // of many each point of the kernel is taken alone
	in, out := groups*channels.Draw(t, "channels in"), groups*n(1, 20, "channels out")
	kernel := [2]int{n(1, 4, "kernel height"), n(1, 5, "kernel width")}
	o := torch.HWCNOptions{Groups: groups, Slope: rapid.SampledFrom([]float64{0, 0.01, 1}).Draw(t, "slope"), Pool: n(1, 3, "pool"),
		Stride: [2]int{n(1, 2, "stride"), n(1, 2, "stride")}, Dilation: [2]int{n(1, 3, "dilation"), n(1, 3, "dilation")}}
	for i := range o.Pad {
		o.Pad[i] = n(0, 3, "pad")
	}
	tallest, least := 8, [2]int{(kernel[0]-1)*o.Dilation[0] + 1, (kernel[1]-1)*o.Dilation[1] + 1 + o.Stride[1]*o.Pool}
	if rapid.Bool().Draw(t, "tall") {
		tallest, widest = widest, tallest
	}
	height, width := n(least[0], max(tallest, least[0]), "height"), n(least[1], max(widest, least[1]), "width")
	g, err := torch.NewGenerator(torch.CPU, uint64(n(0, 1000, "seed")))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	random := func(shape ...int) *torch.Tensor { return normal(t, s, g, shape...) }
	c := drawnConvolution{weight: s.MulScalar(random(out, in/groups, kernel[0], kernel[1]), 1/math.Sqrt(float64(in/groups*kernel[0]*kernel[1])))}
	if rapid.Bool().Draw(t, "bias") {
		c.bias = random(out)
	}
	c.x = random(clips, in, height, width)
	if rapid.Bool().Draw(t, "norm") {
		o.Norm = &torch.BatchNorm{Weight: random(out), Bias: random(out), Mean: random(out), Variance: s.Exp(random(out)), Eps: 1e-5}
	}
	c.o = o
	c.want = c.layers(s)
	return c
}

// layers are the same one after the other.
func (c drawnConvolution) layers(s *torch.Scope) *torch.Tensor {
	convolved := s.Conv2d(s.ZeroPad2d(c.x, c.o.Pad), c.weight, c.bias, torch.Conv2dOptions{Stride: c.o.Stride, Dilation: c.o.Dilation, Groups: c.o.Groups})
	y := s.AvgPool2d(s.LeakyReLU(convolved, c.o.Slope), [2]int{1, c.o.Pool}, [2]int{1, c.o.Pool})
	if c.o.Norm != nil {
		y = s.BatchNorm(y, *c.o.Norm, false)
	}
	return y
}

func valuesOf(t *rapid.T, s *torch.Scope, x *torch.Tensor) []float32 {
	v, err := torch.ToSlice[float32](x)
	if err != nil || s.Err() != nil {
		t.Fatal(err, s.Err())
	}
	return v
}

func alike(t *rapid.T, s *torch.Scope, got, want *torch.Tensor) {
	if fmt.Sprint(got.Shape()) != fmt.Sprint(want.Shape()) {
		t.Fatalf("shape %v, want %v", got.Shape(), want.Shape())
	}
	v := valuesOf(t, s, got)
	for i, w := range valuesOf(t, s, want) {
		if !(math.Abs(float64(v[i]-w)) <= 2e-5*max(1, math.Abs(float64(w)))) {
			t.Fatalf("number %d is %v, want %v", i, v[i], w)
		}
	}
}

// A convolution with the clips innermost returns the output of Conv2d and the layers after it, for
// any sizes; and a clip's result has the same bits whichever clips are beside it.
func TestHWCNIsConv2dAndWhatFollows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		clips := rapid.IntRange(2, 70).Draw(t, "clips")
		c := drawConvolution(t, s, clips, 20)
		all := s.Narrow(s.Conv2dHWCN(s.HWCN(c.x), c.weight, c.bias, c.o, nil), 0, 0, clips)
		alike(t, s, all, c.want)
		if first := rapid.IntRange(0, 40).Draw(t, "first"); first < clips {
			few := s.Conv2dHWCN(s.HWCN(s.Narrow(c.x, 0, first, clips-first)), c.weight, c.bias, c.o, nil)
			if !slices.Equal(valuesOf(t, s, s.Narrow(few, 0, 0, clips-first)), valuesOf(t, s, s.Narrow(all, 0, first, clips-first))) {
				t.Fatal("a clip's bits depend on the clips beside it")
			}
		}
		prepared, err := torch.NewPrepared()
		if err != nil {
			t.Fatal(err)
		}
		alike(t, s, s.Narrow(s.Conv2dHWCN(s.HWCN(c.x), c.weight, c.bias, c.o, prepared), 0, 0, clips), c.want)
		if err := c.weight.CopyFrom(s.MulScalar(c.weight, -0.5)); err != nil {
			t.Fatal(err)
		}
		alike(t, s, s.Narrow(s.Conv2dHWCN(s.HWCN(c.x), c.weight, c.bias, c.o, prepared), 0, 0, clips), c.layers(s))
	})
}

// A convolution of few clips gives the same, of wide maps and of tall ones, however they lie, after its
// weights were written anew, and of several goroutines at once.
func TestFewClipsAreConv2dAndWhatFollows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		clips := rapid.IntRange(1, 5).Draw(t, "clips")
		c := drawConvolution(t, s, clips, 90)
		prepared, err := torch.NewPrepared()
		if err != nil {
			t.Fatal(err)
		}
		all := s.Conv2dFew(c.x, c.weight, c.bias, c.o, prepared)
		alike(t, s, all, c.want)
		turned := func(x *torch.Tensor) *torch.Tensor {
			return s.Call("aten.transpose.int", torch.Arguments{"self": x, "dim0": 2, "dim1": 3}, nil)
		}
		byColumns := turned(s.Contiguous(turned(c.x)))
		alike(t, s, s.Conv2dFew(byColumns, c.weight, c.bias, c.o, prepared), c.want)
		one := s.Conv2dFew(s.Narrow(c.x, 0, clips-1, 1), c.weight, c.bias, c.o, prepared)
		if !slices.Equal(valuesOf(t, s, one), valuesOf(t, s, s.Narrow(all, 0, clips-1, 1))) {
			t.Fatal("a clip's bits depend on the clips beside it")
		}
		for _, w := range []*torch.Tensor{c.weight, c.bias} {
			if w == nil {
				continue
			}
			if err := w.CopyFrom(s.MulScalar(w, -0.5)); err != nil {
				t.Fatal(err)
			}
		}
		var g errgroup.Group
		for range 2 {
			g.Go(func() error {
				s := torch.NewScope(torch.NoGrad)
				defer s.Close()
				s.Conv2dFew(c.x, c.weight, c.bias, c.o, prepared)
				return s.Err()
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		alike(t, s, s.Conv2dFew(c.x, c.weight, c.bias, c.o, prepared), c.layers(s))
	})
}

// Threads take parts of the work as they come for them: numbers don't depend on which computes which.
func TestFewClipsOnSeveralThreads(t *testing.T) {
	before, err := torch.NumThreads()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := torch.SetNumThreads(before); err != nil {
			t.Error(err)
		}
	})
	s := scope(t, torch.NoGrad)
	g, err := torch.NewGenerator(torch.CPU, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	x, weight := normal(t, s, g, 5, 128, 9, 9), normal(t, s, g, 96, 128, 3, 3)
	bits := func(threads int) []float32 {
		if err := torch.SetNumThreads(threads); err != nil {
			t.Fatal(err)
		}
		prepared, err := torch.NewPrepared()
		if err != nil {
			t.Fatal(err)
		}
		v, err := torch.ToSlice[float32](s.Conv2dFew(x, weight, nil, torch.HWCNOptions{Pad: [4]int{1, 1, 1, 1}}, prepared))
		if err != nil {
			t.Fatal(err, s.Err())
		}
		return v
	}
	want := bits(1)
	for range 20 {
		for _, threads := range []int{2, 3, 7} {
			if !slices.Equal(bits(threads), want) {
				t.Fatalf("%d threads compute other bits than one", threads)
			}
		}
	}
}

// Features are a linear layer's, with the same bits for a clip whichever are beside it.
func TestFewClipsOfFeatures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		n := func(high int, what string) int { return rapid.IntRange(1, high).Draw(t, what) }
		clips, in, out := n(40, "clips"), n(70, "features")*n(40, "as often"), n(40, "outputs")
		g, err := torch.NewGenerator(torch.CPU, uint64(n(1000, "seed")))
		if err != nil {
			t.Fatal(err)
		}
		defer g.Free()
		x, weight, bias := normal(t, s, g, clips, in), s.MulScalar(normal(t, s, g, out, in), 1/math.Sqrt(float64(in))), normal(t, s, g, out)
		prepared, err := torch.NewPrepared()
		if err != nil {
			t.Fatal(err)
		}
		got := s.Conv2dFew(x, weight, bias, torch.HWCNOptions{Slope: 0.01}, prepared)
		alike(t, s, got, s.LeakyReLU(s.Linear(x, weight, bias), 0.01))
		first := s.Conv2dFew(s.Narrow(x, 0, 0, 1), weight, bias, torch.HWCNOptions{Slope: 0.01}, prepared)
		if !slices.Equal(valuesOf(t, s, first), valuesOf(t, s, s.Narrow(got, 0, 0, 1))) {
			t.Fatal("a clip's bits depend on the clips beside it")
		}
	})
}

// A weight that comes to lie where one was that is gone is prepared anew.
func TestFewClipsOfAWeightInAnothersPlace(t *testing.T) {
	x, whole := f32(t, []float32{1, 2, 3, 4}, 1, 4), f32(t, make([]float32, 64*4), 64, 4)
	prepared, err := torch.NewPrepared()
	if err != nil {
		t.Fatal(err)
	}
	for k := range 20 {
		s := torch.NewScope(torch.NoGrad)
		weight := s.AddScalar(whole, float64(k))
		got, err := torch.ToSlice[float32](s.Conv2dFew(x, weight, nil, torch.HWCNOptions{Slope: 1}, prepared))
		if err != nil {
			t.Fatal(err, s.Err())
		}
		if want := float32(10 * k); got[0] != want || got[63] != want {
			t.Fatalf("with the weight %d the outputs are %v and %v, want %v", k, got[0], got[63], want)
		}
		s.Close()
	}
}

// Rows and pools that are longer than the part of a row that is kept at once.
func TestFewClipsOfLongRows(t *testing.T) {
	for _, pool := range []int{1, 3, 1000, 4096, 4097, 9990} {
		s := torch.NewScope(torch.NoGrad)
		g, err := torch.NewGenerator(torch.CPU, 4)
		if err != nil {
			t.Fatal(err)
		}
		x, err := torch.Zeros(1, 1, 1, 10000)
		if err == nil {
			err = g.Normal(x, 1, 1)
		}
		prepared, made := torch.NewPrepared()
		if err = errors.Join(err, made); err != nil {
			t.Fatal(err)
		}
		w := f32(t, []float32{0.5, -0.25, 1, 0.125, 0.5, 0.25}, 2, 1, 1, 3)
		got, err := torch.ToSlice[float32](s.Conv2dFew(x, w, nil, torch.HWCNOptions{Slope: 1, Pool: pool}, prepared))
		if err != nil {
			t.Fatal(err, s.Err())
		}
		want, err := torch.ToSlice[float32](s.AvgPool2d(s.Conv2d(x, w, nil, torch.Conv2dOptions{}), [2]int{1, pool}, [2]int{1, pool}))
		if err != nil || len(got) != len(want) {
			t.Fatal(err, len(got), len(want))
		}
		for i := range want {
			if !(math.Abs(float64(got[i]-want[i])) <= 2e-5*max(1, math.Abs(float64(want[i])))) {
				t.Fatalf("pool %d: number %d is %v, want %v", pool, i, got[i], want[i])
			}
		}
		s.Close()
		g.Free()
		x.Free()
	}
}

// Processors of different widths compute the same bits. libtorch reads its instruction set when it
// starts, so each is a run of its own of this test.
func TestHWCNIsTheSameOnEveryProcessor(t *testing.T) {
	const (
		mine = "EEGPRUNE_TEST_HWCN"
		all  = "" // libtorch would take one that lacks AVX-512 at its word
	)
	if os.Getenv(mine) != "" {
		s := scope(t, torch.NoGrad)
		g, err := torch.NewGenerator(torch.CPU, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Free()
		x, err := torch.Zeros(80, 5, 7, 9)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Free()
		weight, bias := f32(t, make([]float32, 17*5*3*4), 17, 5, 3, 4), f32(t, make([]float32, 17), 17)
		for _, drawn := range []*torch.Tensor{weight, bias, x} {
			if err := g.Normal(drawn, 0, 1); err != nil {
				t.Fatal(err)
			}
		}
		v, err := torch.ToSlice[float32](s.Conv2dHWCN(s.HWCN(x), weight, bias, torch.HWCNOptions{Slope: 0.1, Pool: 2}, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range v {
			fmt.Printf("%08x", math.Float32bits(f))
		}
		return
	}
	bits := map[string]string{}
	for _, instructions := range []string{"default", "avx2", all} {
		c := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
		c.Env = append(os.Environ(), mine+"=1", "ATEN_CPU_CAPABILITY="+instructions)
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%s: %v: %s", instructions, err, out)
		}
		bits[instructions], _, _ = strings.Cut(string(out), "PASS")
	}
	if bits["avx2"] != bits[all] || len(bits["avx2"]) < 1000 {
		t.Errorf("%d characters with AVX2, %d with all there is, which differ", len(bits["avx2"]), len(bits[all]))
	}
	if bits["default"] == bits["avx2"] {
		t.Error("both kernels are the same: products and sums are rounded together in one only")
	}
}

func TestHWCNRefusals(t *testing.T) {
	x := f32(t, make([]float32, 16*2*3*3), 16, 2, 3, 3)
	w := f32(t, make([]float32, 4*2*3*3), 4, 2, 3, 3)
	ok := torch.HWCNOptions{Slope: 1}
	for what, run := range map[string]func(s *torch.Scope){
		"channels that differ": func(s *torch.Scope) { s.Conv2dHWCN(s.HWCN(s.Narrow(x, 1, 0, 1)), w, nil, ok, nil) },
		"a kernel too large":   func(s *torch.Scope) { s.Conv2dHWCN(s.HWCN(s.Narrow(x, 2, 0, 2)), w, nil, ok, nil) },
		"a bias too short":     func(s *torch.Scope) { s.Conv2dHWCN(s.HWCN(x), w, f32(t, make([]float32, 3), 3), ok, nil) },
		"a negative stride":    func(s *torch.Scope) { s.Conv2dHWCN(s.HWCN(x), w, nil, torch.HWCNOptions{Stride: [2]int{-1, 1}}, nil) },
		"a negative pad": func(s *torch.Scope) {
			s.Conv2dHWCN(s.HWCN(x), w, nil, torch.HWCNOptions{Pad: [4]int{-1, 0, 0, 0}}, nil)
		},
		"a pool too long":  func(s *torch.Scope) { s.Conv2dHWCN(s.HWCN(x), w, nil, torch.HWCNOptions{Pool: 2}, nil) },
		"integers":         func(s *torch.Scope) { s.HWCN(s.To(x, torch.Int64, torch.CPU)) },
		"three dimensions": func(s *torch.Scope) { s.HWCN(s.Reshape(x, 16, 2, 9)) },
		"five features": func(s *torch.Scope) {
			s.Conv2dHWCN(s.Reshape(s.Narrow(s.Reshape(x, -1), 0, 0, 80), 16, 5), w, nil, ok, nil)
		},
	} {
		s := torch.NewScope(torch.NoGrad)
		run(s)
		if err := s.Err(); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "hwcn") {
			t.Errorf("%s: error %v, want one line that names hwcn", what, err)
		}
		s.Close()
	}
	s := scope(t, torch.Grad)
	if s.Conv2dHWCN(s.HWCN(x), w, nil, ok, nil); s.Err() == nil {
		t.Error("gradients are no error")
	}
}

// TestContiguousLaysOutAgain maps with the clips innermost, also where dimensions went or came, or
// where only a part of the map is taken, which HWCN lays out anew.
func TestContiguousLaysOutAgain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		clips, channels, width, x := drawMap(rt, s)
		laid := s.HWCN(x)
		want := valuesOf(rt, s, x)
		for _, back := range []*torch.Tensor{s.Contiguous(laid), s.Contiguous(s.Reshape(laid, clips, channels, -1)), s.Contiguous(x)} {
			if !slices.Equal(valuesOf(rt, s, back), want) {
				rt.Fatalf("%v", valuesOf(rt, s, back))
			}
		}
		from := rapid.IntRange(0, width-1).Draw(rt, "from")
		want = valuesOf(rt, s, s.Narrow(x, 3, from, width-from))
		part := s.Narrow(laid, 3, from, width-from)
		for _, got := range []*torch.Tensor{s.Contiguous(part), s.Contiguous(s.HWCN(part))} {
			if !slices.Equal(valuesOf(rt, s, got), want) {
				rt.Fatalf("from %d: %v", from, valuesOf(rt, s, got))
			}
		}
	})
}

// drawMap returns maps of a multiple of 16 clips, and how many, of how many channels and how wide.
func drawMap(t *rapid.T, s *torch.Scope) (clips, channels, width int, x *torch.Tensor) {
	size := func(what string, most int) int { return rapid.IntRange(1, most).Draw(t, what) }
	clips, channels, width = 16*size("sixteens", 3), size("channels", 9), size("width", 40)
	height := size("height", 5)
	numbers := make([]float32, clips*channels*height*width)
	for i := range numbers {
		numbers[i] = float32(i * 7919 % 1009)
	}
	given, err := torch.FromSlice(numbers, clips, channels, height, width)
	if err != nil {
		t.Fatal(err)
	}
	defer given.Free()
	return clips, channels, width, s.Clone(given)
}

// A pool of clips that lie innermost is the pool of each of them, whether they lie side by side or not,
// and leaves them as they lie.
func TestEachChannelIsAPoolOfEachClip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		_, _, width, x := drawMap(rt, s)
		kernel := [2]int{1, rapid.IntRange(1, width).Draw(rt, "kernel")}
		stride := [2]int{rapid.IntRange(1, 3).Draw(rt, "stride"), rapid.IntRange(1, 9).Draw(rt, "step")}
		pool := func(x *torch.Tensor) *torch.Tensor { return s.AvgPool2d(x, kernel, stride) }
		want := s.AvgPool2d(x, kernel, stride)
		laid := s.EachChannel(s.HWCN(x), pool)
		alike(rt, s, laid, want)
		alike(rt, s, s.EachChannel(x, pool), want)
		// What lies so is taken as it is by a convolution of one number.
		one := s.Reshape(s.Clone(s.Narrow(s.Reshape(x, -1), 0, 0, 1)), 1, 1, 1, 1)
		alike(rt, s, s.Conv2dHWCN(s.Narrow(laid, 1, 0, 1), one, nil, torch.HWCNOptions{Slope: 1}, nil), s.Conv2d(s.Narrow(want, 1, 0, 1), one, nil, torch.Conv2dOptions{}))
	})
}

func TestEachChannelRefusesGradients(t *testing.T) {
	x := f32(t, make([]float32, 16*2), 16, 2, 1, 1)
	s := scope(t, torch.Grad)
	if s.EachChannel(x, func(x *torch.Tensor) *torch.Tensor { return x }); s.Err() == nil {
		t.Error("gradients are no error")
	}
}
