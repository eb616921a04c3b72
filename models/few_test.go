package models_test

import (
	"math"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// TestFewClipsSeeWhatATrainingWrote: one clip is evaluated with the weights and statistics as they are
// now, whatever wrote them: each optimizer, a copy, a pruning's constraint.
func TestFewClipsSeeWhatATrainingWrote(t *testing.T) {
	for name, optimizer := range map[string]func(p []*torch.Tensor) (*torch.Optimizer, error){
		"sgd": func(p []*torch.Tensor) (*torch.Optimizer, error) { return torch.NewSGD(p, torch.SGDOptions{}) },
		"momentum": func(p []*torch.Tensor) (*torch.Optimizer, error) {
			return torch.NewSGD(p, torch.SGDOptions{Momentum: 0.9})
		},
		"fused": func(p []*torch.Tensor) (*torch.Optimizer, error) {
			return torch.NewSGD(p, torch.SGDOptions{Fused: true})
		},
		"adam": func(p []*torch.Tensor) (*torch.Optimizer, error) {
			return torch.NewAdam(p, torch.AdamOptions{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8})
		},
		"fused adam": func(p []*torch.Tensor) (*torch.Optimizer, error) {
			return torch.NewAdam(p, torch.AdamOptions{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Fused: true})
		},
	} {
		for model, input := range map[string][3]int{"fbccnn": {4, 9, 9}, "eegnet": {1, 6, 300}} {
			arch, err := models.Build(model, models.Config{Input: input, Classes: 2, Rate: 64})
			if err != nil {
				t.Fatal(err)
			}
			n, err := models.New(arch, torch.CPU, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Free()
			reftest.Fill(t, n, 7)
			const clips = 16
			x := reftest.Clips(t, 3, clips, input[0], input[1], input[2])
			y, err := torch.FromSlice(make([]int64, clips), clips)
			if err != nil {
				t.Fatal(err)
			}
			defer y.Free()
			o, err := optimizer(n.Parameters())
			if err != nil {
				t.Fatal(err)
			}
			defer o.Free()
			g, err := torch.NewGenerator(torch.CPU, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Free()
			last := oneAndAll(t, n, x)
			for range 3 {
				s := torch.NewScope(torch.Grad)
				s.Backward(s.CrossEntropy(n.Forward(s, x, models.Pass{Training: true, Generator: g}), y))
				if err := s.Err(); err != nil {
					t.Fatal(err)
				}
				s.Close()
				if err := o.Step(0.05); err != nil {
					t.Fatal(err)
				}
				now := oneAndAll(t, n, x)
				if now == last {
					t.Errorf("%s, %s: a step changed nothing", model, name)
				}
				last = now
			}
		}
	}
}

// oneAndAll is a clip's first logit, which it has alone and among others.
func oneAndAll(t *testing.T, n *models.Network, x *torch.Tensor) float32 {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	alone, among := reftest.Logits(t, n, s.Narrow(x, 0, 0, 1)), reftest.Logits(t, n, x)
	for i, v := range alone {
		if d := math.Abs(float64(v - among[i])); !(d <= 1e-4*math.Max(1, math.Abs(float64(v)))) {
			t.Errorf("logit %d is %v of the clip alone, %v among others", i, v, among[i])
		}
	}
	return alone[0]
}
