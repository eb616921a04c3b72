package train

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// made is a random network with fresh weights and clips for it.
func made(rt *rapid.T) (*models.Network, *Data, *torch.Generator) {
	arch := reftest.RandomArch(rt)
	g, err := torch.NewGenerator(torch.CPU, uint64(rapid.IntRange(1, 1e6).Draw(rt, "seed")))
	if err != nil {
		rt.Fatal(err)
	}
	n, err := models.New(arch, torch.CPU, g)
	if err != nil {
		rt.Fatal(err)
	}
	d, err := madeUp(arch, 24, torch.CPU, g)
	if err != nil {
		rt.Fatal(err)
	}
	return n, d, g
}

func TestDistillationByHand(t *testing.T) {
	arch, err := models.Build("fbccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	teacher := reftest.Network(t, arch)
	reftest.Fill(t, teacher, 11)
	const weight, temperature = 0.3, 4.0
	x := reftest.Tensor(t, reftest.Ramp(2*4*81, 3, 1), 2, 4, 9, 9)
	y := reftest.Tensor(t, []int64{1, 0}, 2)
	student := [][]float64{{0.5, -1}, {2, 0.25}}
	logits := reftest.Tensor(t, []float32{0.5, -1, 2, 0.25}, 2, 2)

	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	out, err := torch.ToSlice[float32](teacher.Forward(s, x, models.Pass{}))
	if err != nil {
		t.Fatal(err)
	}
	softmax := func(v []float64, t float64) []float64 {
		sum := 0.0
		p := make([]float64, len(v))
		for i := range v {
			p[i] = math.Exp(v[i] / t)
			sum += p[i]
		}
		for i := range p {
			p[i] /= sum
		}
		return p
	}
	var entropy, divergence float64
	for i, class := range []int{1, 0} {
		entropy -= math.Log(softmax(student[i], 1)[class]) / 2
		p := softmax([]float64{float64(out[2*i]), float64(out[2*i+1])}, temperature)
		q := softmax(student[i], temperature)
		for k := range p {
			divergence += p[k] * math.Log(p[k]/q[k]) / 2
		}
	}
	want := (1-weight)*entropy + weight*temperature*temperature*divergence
	got, err := Distill(teacher, weight, temperature)(s, x, logits, s.CrossEntropy(logits, y)).Item()
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got-want) > 1e-6 {
		t.Errorf("the loss is %g, want %g", got, want)
	}
}

func TestGradientsLeaveTheNetworkAsItWas(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, d, g := made(rt)
		defer n.Free()
		defer d.Free()
		defer g.Free()
		before, err := n.Clone()
		if err != nil {
			rt.Fatal(err)
		}
		defer before.Free()
		calls := 0
		if err := Gradients(n, d, span(0, 24), 10, 5, func() error { calls++; return nil }); err != nil {
			rt.Fatal(err)
		}
		if calls != 3 {
			rt.Fatalf("%d batches of 10 in 24 rows, want 3", calls)
		}
		for i, p := range n.State() {
			got, _ := torch.ToSlice[float32](p.Tensor)
			want, _ := torch.ToSlice[float32](before.State()[i].Tensor)
			if !slices.Equal(got, want) {
				rt.Fatalf("%s was changed", p.Name)
			}
		}
	})
}

// A training that is ended after any of its epochs, and begun again, ends with the bits
// and the history of one that was not.
func TestInterruptedTrainingsEndTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "training.safetensors")
	rapid.Check(t, func(rt *rapid.T) {
		_ = os.Remove(path)
		n, d, g := made(rt)
		defer n.Free()
		defer d.Free()
		defer g.Free()
		o := Options{Optimizer: rapid.SampledFrom([]string{"sgd", "adam"}).Draw(rt, "optimizer"), LR: 0.05, BatchSize: 8, Epochs: 5, Milestones: []float64{0.6}, Gamma: 0.1}
		if o.Optimizer == "sgd" {
			o.Momentum = 0.9
		}
		state, err := g.State()
		if err != nil {
			rt.Fatal(err)
		}
		defer state.Free()
		run := func(s Snapshots, stop int) (*models.Network, History, error) {
			c, err := n.Clone()
			if err != nil {
				rt.Fatal(err)
			}
			if err := g.SetState(state); err != nil {
				rt.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			watch := Observer{Epoch: func(epoch int, _ Epoch) {
				if epoch == stop {
					cancel()
				}
			}}
			h, err := Training{Network: c, Data: d, Fit: span(0, 16), Val: span(16, 24), Options: o, Generator: g, Watch: watch, Snapshots: s}.Run(ctx)
			return c, h, err
		}
		want, wantHistory, err := run(Snapshots{}, 0)
		if errors.Is(err, ErrDiverged) {
			want.Free()
			rt.Skip("a network that does not bear this rate")
		}
		if err != nil {
			rt.Fatal(err)
		}
		defer want.Free()
		every := rapid.IntRange(1, 3).Draw(rt, "every")
		kept := 0
		for range rapid.IntRange(1, 2).Draw(rt, "interruptions") {
			after := rapid.IntRange(1, o.Epochs-1).Draw(rt, "after")
			c, _, err := run(Snapshots{Path: path, Every: every}, after)
			c.Free()
			if after <= kept {
				after = o.Epochs
			}
			kept = max(kept, after/every*every)
			if err != nil && !errors.Is(err, context.Canceled) {
				rt.Fatal(err)
			}
		}
		got, history, err := run(Snapshots{Path: path, Every: every}, 0)
		if err != nil {
			rt.Fatal(err)
		}
		defer got.Free()
		for i, p := range want.State() {
			a, _ := torch.ToSlice[float32](got.State()[i].Tensor)
			b, _ := torch.ToSlice[float32](p.Tensor)
			if !slices.Equal(a, b) {
				rt.Fatalf("%s is another after interruptions", p.Name)
			}
		}
		wantHistory.Resumed = kept
		if d := cmp.Diff(wantHistory, history, cmpopts.IgnoreFields(Epoch{}, "WallClock")); d != "" {
			rt.Fatalf("the history is another after interruptions (-whole +interrupted):\n%s", d)
		}
	})
}

func TestDamagedSnapshotsCostTimeOnly(t *testing.T) {
	d := separable(t, 64)
	o := Options{Optimizer: "sgd", LR: 0.01, BatchSize: 16, Epochs: 2}
	path := filepath.Join(t.TempDir(), "training.safetensors")
	for _, content := range []string{"", "not a snapshot", strings.Repeat("\x00", 4096)} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		n, g := fresh(t, tiny(), 1)
		h, err := Training{Network: n, Data: d, Fit: span(0, 48), Val: span(48, 64), Options: o, Generator: g, Snapshots: Snapshots{Path: path}}.Run(context.Background())
		if err != nil || len(h.Epochs) != 2 {
			t.Errorf("with a file of %d damaged bytes: %d epochs, error %v", len(content), len(h.Epochs), err)
		}
	}
}
