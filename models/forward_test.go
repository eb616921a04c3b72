package models_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
)

// passed returns the logits of a training pass, the gradients of all parameters for the sum of the
// logits' squares, and the running statistics after it. The last are the logits of an evaluation.
func passed(rt fatal, n *models.Network, x *torch.Tensor, after func(*torch.Scope, *op.Node, *torch.Tensor) *torch.Tensor) [][]float32 {
	g, err := torch.NewGenerator(torch.CPU, 4)
	if err != nil {
		rt.Fatal(err)
	}
	defer g.Free()
	forget, err := torch.NewSGD(n.Parameters(), torch.SGDOptions{})
	if err != nil {
		rt.Fatal(err)
	}
	defer forget.Free()
	s := torch.NewScope(torch.Grad)
	defer s.Close()
	logits := n.Forward(s, x, models.Pass{Training: true, Generator: g, After: after})
	s.Backward(s.Sum(s.Mul(logits, logits)))
	all := []*torch.Tensor{logits}
	for _, p := range n.Parameters() {
		all = append(all, s.GradOf(p))
	}
	for _, p := range n.State() {
		if p.Buffer && p.Tensor.Info().DType == torch.Float32 {
			all = append(all, p.Tensor)
		}
	}
	all = append(all, n.Forward(s, x, models.Pass{After: after}))
	var values [][]float32
	for _, t := range all {
		v, err := torch.ToSlice[float32](t)
		if err != nil || s.Err() != nil {
			rt.Fatal(err, s.Err())
		}
		values = append(values, v)
	}
	if err := forget.ZeroGrad(); err != nil {
		rt.Fatal(err)
	}
	return values
}

// Memory that is used again, activations in place and layers that are computed together
// change no bit of a training pass: where each layer's output is looked at, none of that is
// done. Of an evaluation they can change the last: a map of one channel is in both layouts, and
// an activation out of place chooses PyTorch's.
func TestForwardGivesWhatItsLayersGiveOneByOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arch := reftest.RandomArch(rt)
		if rapid.Bool().Draw(rt, "tsception") {
			var err error
			if arch, err = models.Build("tsception", models.Config{Input: [3]int{1, 4, 256}, Classes: 2, Rate: 64}); err != nil {
				rt.Fatal(err)
			}
		}
		sameTogether(rt, arch, rapid.IntRange(2, 9).Draw(rt, "clips"), 3)
	})
}

// narrowed is an architecture of fewer channels in every group.
func narrowed(t *testing.T, arch *models.Arch, random *rand.Rand) *models.Arch {
	n, err := models.New(arch, torch.CPU, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Free()
	keep := prune.Keep{}
	for _, g := range arch.Groups {
		keep[g.Name] = slices.Sorted(slices.Values(random.Perm(g.Channels)[:1+random.IntN(g.Channels)]))
	}
	small, err := prune.Remove(n, keep)
	if err != nil {
		t.Fatal(err)
	}
	defer small.Free()
	return small.Arch.Clone()
}

// fatal is shared by tests and properties.
type fatal interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// sameTogether passes random clips through a random network, layer by layer and as a whole.
func sameTogether(rt fatal, arch *models.Arch, clips int, seed uint64) {
	g, err := torch.NewGenerator(torch.CPU, seed)
	if err != nil {
		rt.Fatal(err)
	}
	defer g.Free()
	n, err := models.New(arch, torch.CPU, g)
	if err != nil {
		rt.Fatal(err)
	}
	defer n.Free()
	again, err := n.Clone()
	if err != nil {
		rt.Fatal(err)
	}
	defer again.Free()
	x, err := torch.Zeros(clips, arch.Input[0], arch.Input[1], arch.Input[2])
	if err != nil {
		rt.Fatal(err)
	}
	defer x.Free()
	if err := g.Normal(x, 0, 1); err != nil {
		rt.Fatal(err)
	}
	before, _ := torch.ToSlice[float32](x)
	want := passed(rt, n, x, func(_ *torch.Scope, _ *op.Node, out *torch.Tensor) *torch.Tensor { return out })
	got := passed(rt, again, x, nil)
	evaluated := len(want) - 1
	for i := range want {
		if i < evaluated && !slices.Equal(got[i], want[i]) {
			rt.Fatalf("output %d of %d, of %d numbers, differs", i, len(want), len(want[i]))
		}
	}
	for i, w := range want[evaluated] {
		if g := got[evaluated][i]; !(math.Abs(float64(g-w)) <= 1e-5*max(1, math.Abs(float64(w)))) {
			rt.Fatalf("evaluation gives %v, want %v", got[evaluated], want[evaluated])
		}
	}
	if now, _ := torch.ToSlice[float32](x); !slices.Equal(now, before) {
		rt.Fatal("the pass changed its input")
	}
}

// The same of the networks on grids in their own sizes and pruned, whose convolutions are
// eegprune's: with the instructions that the tests are held to, and in a run of its own with all that
// the processor has.
func TestTrainingHasLibtorchsBits(t *testing.T) {
	held := reftest.WithAllInstructions(t)
	own, err := torch.OwnConvolutions()
	if err != nil {
		t.Fatal(err)
	}
	// oneDNN sums in other orders where a processor has instructions beyond AVX2.
	if cpu, _ := os.ReadFile("/proc/cpuinfo"); held && bytes.Contains(cpu, []byte(" avx2 ")) && !own {
		t.Error("convolutions are libtorch's on a processor with AVX2")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 3 {
		for _, model := range []string{"ccnn", "fbccnn"} {
			arch, err := models.Build(model, models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, clips := range []int{2, 5 + random.IntN(20)} {
				sameTogether(t, arch, clips, seed)
				sameTogether(t, narrowed(t, arch, random), clips, seed)
			}
		}
	}
}

// A kernel of one column over zeros at both sides has places that see nothing but zeros.
func TestForwardOverZerosBeyondTheKernel(t *testing.T) {
	for _, pad := range [][4]int{{1, 1, 0, 1}, {1, 1, 0, 0}, {0, 0, 2, 2}, {0, 0, 1, 1}} {
		net := op.NewNet(1, 3, 3)
		h, w := 3+pad[2]+pad[3]-1, 3+pad[0]+pad[1]
		x := net.ReLU("act")(net.Conv2d("conv", 1, 1, [2]int{2, 1}, op.ConvOptions{})(net.ZeroPad2d("pad", pad)(models.Input)))
		net.Linear("out", h*w, 2)(net.Flatten("flatten")(x))
		arch, err := models.Custom("zeros", [3]int{1, 3, 3}, 2, net)
		if err != nil {
			t.Fatal(err)
		}
		sameTogether(t, arch, 2, 3)
	}
}
