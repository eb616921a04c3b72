package torch_test

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/torch"
)

// Convolutions along the rows of signals have libtorch's bits, which computes them where the
// signals need a gradient: with the instructions that tests are held to, and in a run of
// its own with all that the processor has.
func TestConvolutionsOfSignalsHaveLibtorchsBits(t *testing.T) {
	reftest.WithAllInstructions(t)
	rapid.Check(t, func(t *rapid.T) {
		n := func(low, high int, what string) int { return rapid.IntRange(low, high).Draw(t, what) }
		kernel := n(2, 70, "kernel")
		pad := rapid.SampledFrom([]int{0, kernel / 2}).Draw(t, "pad")
		clips, rows, width, out := n(1, 4, "clips"), n(1, 9, "rows"), kernel+n(15, 200, "more"), n(1, 20, "channels")
		g, err := torch.NewGenerator(torch.CPU, uint64(n(0, 1000, "seed")))
		if err != nil {
			t.Fatal(err)
		}
		defer g.Free()
		x, err := torch.Zeros(clips, 1, rows, width)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Free()
		if err := g.Normal(x, 0, 1); err != nil {
			t.Fatal(err)
		}
		shapes := [][]int{{out, 1, 1, kernel}}
		if rapid.Bool().Draw(t, "bias") {
			shapes = append(shapes, []int{out})
		}
		learned := make([]*torch.Tensor, 2) // weight and bias, which may be none
		for i, shape := range shapes {
			if learned[i], err = torch.Zeros(shape...); err != nil {
				t.Fatal(err)
			}
			defer learned[i].Free()
			if err := errors.Join(g.Uniform(learned[i], -0.5, 0.5), learned[i].RequireGrad()); err != nil {
				t.Fatal(err)
			}
		}
		weight, bias := learned[0], learned[1]
		learned = learned[:len(shapes)]
		forget, err := torch.NewSGD(learned, torch.SGDOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer forget.Free()
		// results are the map's and the gradients' numbers, where the signals need a gradient or not.
		results := func(needed bool) (all [][]float32) {
			signals, err := torch.Zeros(x.Shape()...)
			if err != nil {
				t.Fatal(err)
			}
			defer signals.Free()
			if err := signals.CopyFrom(x); err != nil {
				t.Fatal(err)
			}
			if needed {
				if err := signals.RequireGrad(); err != nil {
					t.Fatal(err)
				}
			}
			s := torch.NewScope(torch.Grad)
			defer s.Close()
			y := s.Conv2d(signals, weight, bias, torch.Conv2dOptions{Padding: [2]int{0, pad}})
			s.Backward(s.Sum(s.Mul(y, y)))
			for _, r := range append([]*torch.Tensor{y}, learned...) {
				if r != y {
					r = s.GradOf(r)
				}
				v, err := torch.ToSlice[float32](r)
				if err != nil || s.Err() != nil {
					t.Fatal(err, s.Err())
				}
				all = append(all, v)
			}
			if err := forget.ZeroGrad(); err != nil {
				t.Fatal(err)
			}
			return all
		}
		if want, got := results(true), results(false); !slices.EqualFunc(want, got, slices.Equal[[]float32]) {
			t.Fatal("bits differ from libtorch's")
		}
	})
}
