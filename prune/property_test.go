package prune_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
)

// randomNetwork draws weights, and BatchNorm statistics that are not those of a fresh
// network, so that losing one of them shows.
func randomNetwork(t *rapid.T, tb testing.TB, arch *models.Arch) *models.Network {
	n, err := models.New(arch, torch.CPU, nil)
	if err != nil {
		t.Fatal(err)
	}
	reftest.Fill(tb, n, uint64(rapid.IntRange(1, 1e6).Draw(t, "weights")))
	for i, p := range n.State() {
		v := reftest.Ramp(p.Tensor.Len(), uint64(i), 0.4)
		for k := range v {
			v[k] += 1 // variances must be positive
		}
		if p.Buffer && p.Tensor.Info().DType == torch.Float32 {
			reftest.Set(tb, p.Tensor, v)
		}
	}
	return n
}

func randomKeep(t *rapid.T, arch *models.Arch) prune.Keep {
	keep := prune.Keep{}
	for _, g := range arch.Groups {
		if rapid.IntRange(0, 3).Draw(t, "whole") == 0 {
			continue
		}
		var kept []int
		for c := range g.Channels {
			if rapid.Bool().Draw(t, "keep") {
				kept = append(kept, c)
			}
		}
		if kept == nil {
			kept = []int{rapid.IntRange(0, g.Channels-1).Draw(t, "the one")}
		}
		keep[g.Name] = kept
	}
	return keep
}

// holdAtZero multiplies the inputs of each group's consumers by 0 where a channel is not
// kept: the definition of the result of surgery, by other means.
func holdAtZero(arch *models.Arch, keep prune.Keep) func(*torch.Scope, *op.Node, *torch.Tensor) *torch.Tensor {
	masks := map[string][]float32{}
	for _, g := range arch.Groups {
		kept, ok := keep[g.Name]
		if !ok {
			continue
		}
		for _, p := range g.Of(op.Column) {
			consumer, _ := arch.Owner(p.Tensor)
			mask := masks[consumer.Ref("input")] // of other groups' channels beside these
			if mask == nil {
				mask = slices.Repeat([]float32{1}, inputs(arch, consumer))
				masks[consumer.Ref("input")] = mask
			}
			stays := p.Rows(kept)
			for _, i := range slices.Concat(p.Index...) {
				for k := i; k < len(mask) && !slices.Contains(stays, i); k += arch.Tensor(p.Tensor).Shape[1] { // of each group
					mask[k] = 0
				}
			}
		}
	}
	return func(s *torch.Scope, l *op.Node, out *torch.Tensor) *torch.Tensor {
		mask, ok := masks[l.Name]
		if !ok {
			return out
		}
		shape := make([]int, len(out.Shape()))
		for i := range shape {
			shape[i] = 1
		}
		shape[1] = len(mask)
		m, err := torch.FromSlice(mask, shape...)
		if err != nil {
			s.Fail(err)
			return out
		}
		defer m.Free()
		return s.Mul(out, m)
	}
}

// inputs is the number of a node's input channels or features.
func inputs(arch *models.Arch, n *op.Node) int {
	taken := 0
	err := arch.Walk(func(c *op.Call) {
		if c.Name == n.Name {
			taken = c.Shape("input")[1]
		}
	})
	if err != nil {
		panic(err)
	}
	return taken
}

func logits(t *rapid.T, n *models.Network, x []float32, after func(*torch.Scope, *op.Node, *torch.Tensor) *torch.Tensor) []float32 {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	in := n.Arch.Input
	input, err := torch.FromSlice(x, len(x)/(in[0]*in[1]*in[2]), in[0], in[1], in[2])
	if err != nil {
		t.Fatal(err)
	}
	defer input.Free()
	out := n.Forward(s, input, models.Pass{After: after})
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	v, err := torch.ToSlice[float32](out)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func closeTo(t *rapid.T, what string, got, want []float32) {
	if len(got) != len(want) {
		t.Fatalf("%s: %d logits, want %d", what, len(got), len(want))
	}
	scale := 0.0
	for _, v := range want {
		scale = max(scale, math.Abs(float64(v)))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= 1e-5*max(scale, 1e-3)) {
			t.Fatalf("%s: logit %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

func TestSurgeryEqualsMasking(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arch := reftest.RandomArch(rt)
		n := randomNetwork(rt, t, arch)
		defer n.Free()
		in := arch.Input
		x := reftest.Ramp(3*in[0]*in[1]*in[2], uint64(rapid.IntRange(1, 1e6).Draw(rt, "input")), 2)
		keep := randomKeep(rt, arch)

		small, err := prune.Remove(n, keep)
		if err != nil {
			rt.Fatal(err)
		}
		defer small.Free()
		closeTo(rt, "surgery", logits(rt, small, x, nil), logits(rt, n, x, holdAtZero(arch, keep)))

		// Pruning a pruned network removes the union.
		again := randomKeep(rt, small.Arch)
		smaller, err := prune.Remove(small, again)
		if err != nil {
			rt.Fatal(err)
		}
		defer smaller.Free()
		union := prune.Keep{}
		for _, g := range smaller.Arch.Groups {
			if g.Kept != nil {
				union[g.Name] = g.Kept
			}
		}
		closeTo(rt, "surgery after surgery", logits(rt, smaller, x, nil), logits(rt, n, x, holdAtZero(arch, union)))

		// The counts are those of the tensors that are there.
		counts, err := smaller.Arch.Count()
		if err != nil {
			rt.Fatal(err)
		}
		var elements int64
		for _, p := range smaller.Parameters() {
			elements += int64(p.Len())
		}
		if counts.Parameters != elements {
			rt.Fatalf("%d parameters are counted, the tensors hold %d", counts.Parameters, elements)
		}
	})
}

func TestLFPKeepsTheRightNumberOfTheLargest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arch := reftest.RandomArch(rt)
		n := randomNetwork(rt, t, arch)
		defer n.Free()
		ratio := rapid.Float64Range(0, 0.999).Draw(rt, "ratio")
		d, err := choose(t, n, "lfp", ratio, prune.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		for i := range arch.Groups {
			g := &arch.Groups[i]
			if arch.Linear(g) {
				if d.Keep[g.Name] != nil {
					rt.Fatalf("neurons of %s are pruned without being asked for", g.Name)
				}
				continue
			}
			want := max(1, int(math.RoundToEven(float64(g.Channels)*(1-ratio))))
			if len(d.Keep[g.Name]) != want {
				rt.Fatalf("%s keeps %d of %d at ratio %g, want %d", g.Name, len(d.Keep[g.Name]), g.Channels, ratio, want)
			}
			lfp, err := prune.ByName("lfp")
			if err != nil {
				rt.Fatal(err)
			}
			score, err := lfp.Score(n, prune.Evidence{})
			if err != nil {
				rt.Fatal(err)
			}
			scores, err := score(&prune.Candidate{Name: g.Name, Group: g, Size: g.Channels})
			if err != nil {
				rt.Fatal(err)
			}
			kept := map[int]bool{}
			least := math.Inf(1)
			for _, c := range d.Keep[g.Name] {
				kept[c] = true
				least = min(least, scores[c])
			}
			for c, s := range scores {
				if !kept[c] && s > least {
					rt.Fatalf("%s drops channel %d of importance %g and keeps one of %g", g.Name, c, s, least)
				}
			}
		}
	})
}
