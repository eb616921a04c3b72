package models_test

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// reference is a file that PyTorch and torcheeg's definitions made.
type reference struct {
	Model      string
	InChannels int `json:"in_channels"`
	Classes    int
	Electrodes int
	Rate       float64
	Key        uint64
	InputShape []int   `json:"input_shape"`
	InputKey   uint64  `json:"input_key"`
	Labels     []int64 `json:"labels"`
	Parameters [][2]any
	Buffers    [][2]any
	NumParams  int64       `json:"n_parameters"`
	LogitsEval [][]float64 `json:"logits_eval"`
	LossTrain  float64     `json:"loss_train"`
	Grads      map[string]reftest.Digest
	Buffered   map[string]reftest.Digest `json:"buffers_after"`
	SGD, Adam  struct {
		Losses []float64
		After  map[string]reftest.Digest `json:"params_after"`
	}
	MACs struct {
		Conv      int64
		BatchNorm int64 `json:"batch_norm"`
		Linear    int64
		Total     int64
	} `json:"macs_fvcore"`
	Init struct {
		Seed  uint64
		State map[string]reftest.Digest
	}
}

// referenceModels are those of which there are files of expected values; those held out have
// another seed, 5 bands, 3 classes and 27 electrodes.
var referenceModels = reftest.Models("model")

func load(t *testing.T, model string) (reference, *models.Arch) {
	t.Helper()
	return loadFile(t, reftest.Expected(t, "model", model))
}

func loadFile(t *testing.T, path string) (reference, *models.Arch) {
	t.Helper()
	var r reference
	reftest.ReadJSON(t, path, &r)
	none := 0.0
	a, err := models.Build(strings.ReplaceAll(r.Model, "_", "-"), models.Config{Input: [3]int(r.InputShape[1:]), Classes: r.Classes, Rate: r.Rate, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	return r, a
}

// Up to the first optimizer step the same operations run in the same order, so only
// rounding within an operator differs.
const (
	beforeSteps = 1e-5
	afterSteps  = 1e-4
)

func TestReference(t *testing.T) {
	for _, model := range referenceModels {
		t.Run(model, func(t *testing.T) {
			r, arch := load(t, model)
			n := reftest.Network(t, arch)
			reftest.Fill(t, n, r.Key)
			reftest.Constrain(t, n)
			x := reftest.Tensor(t, reftest.Ramp(product(r.InputShape), r.InputKey, 2), r.InputShape...)
			y := reftest.Tensor(t, r.Labels, len(r.Labels))

			parameters, buffers := described(n)
			if d := cmp.Diff(r.Parameters, parameters); d != "" {
				t.Errorf("parameters (-want +got):\n%s", d)
			}
			if d := cmp.Diff(append([][2]any{}, r.Buffers...), append([][2]any{}, buffers...)); d != "" {
				t.Errorf("buffers (-want +got):\n%s", d)
			}

			s := torch.NewScope(torch.Grad)
			defer s.Close()
			reftest.CheckLogits(t, "logits", n.Forward(s, x, models.Pass{}), r.LogitsEval, beforeSteps)
			loss := s.CrossEntropy(n.Forward(s, x, models.Pass{Training: true}), y)
			s.Backward(loss)
			if s.Err() != nil {
				t.Fatal(s.Err())
			}
			checkLoss(t, loss, r.LossTrain, beforeSteps)
			var means []float64
			for _, d := range r.Grads {
				means = append(means, d.Mean())
			}
			slices.Sort(means)
			median, largest := means[len(means)/2], means[len(means)-1]
			for _, p := range n.State() {
				if p.Buffer {
					r.Buffered[p.Name].Check(t, p.Name, p.Tensor, beforeSteps)
				} else {
					want, magnitude := r.Grads[p.Name], 0.0
					if want.Mean() < median/100 { // its terms cancel, as those of a bias before a BatchNorm do
						magnitude = largest
					}
					want.CheckBeside(t, "gradient of "+p.Name, s.GradOf(p.Tensor), beforeSteps, magnitude)
				}
			}
		})
	}
}

func TestReferenceSteps(t *testing.T) {
	for _, model := range referenceModels {
		for _, name := range []string{"sgd", "adam"} {
			t.Run(fmt.Sprint(model, "/", name), func(t *testing.T) {
				r, arch := load(t, model)
				n := reftest.Network(t, arch)
				reftest.Fill(t, n, r.Key)
				x := reftest.Tensor(t, reftest.Ramp(product(r.InputShape), r.InputKey, 2), r.InputShape...)
				y := reftest.Tensor(t, r.Labels, len(r.Labels))
				want, lr := r.SGD, 1e-2
				o, err := torch.NewSGD(n.Parameters(), torch.SGDOptions{Momentum: 0.9, WeightDecay: 1e-4})
				if name == "adam" {
					want, lr = r.Adam, 1e-3
					o.Free()
					o, err = torch.NewAdam(n.Parameters(), torch.AdamOptions{Eps: 1e-3}) // scripts/make_reference.py says why
				}
				if err != nil {
					t.Fatal(err)
				}
				defer o.Free()
				for _, l := range want.Losses {
					reftest.Constrain(t, n)
					s := torch.NewScope(torch.Grad)
					loss := s.CrossEntropy(n.Forward(s, x, models.Pass{Training: true}), y)
					s.Backward(loss)
					if err := s.Err(); err != nil {
						t.Fatal(err)
					}
					checkLoss(t, loss, l, afterSteps)
					s.Close()
					if err := o.Step(lr); err != nil {
						t.Fatal(err)
					}
					if err := o.ZeroGrad(); err != nil {
						t.Fatal(err)
					}
				}
				for _, p := range n.State() {
					if !p.Buffer {
						want.After[p.Name].Check(t, p.Name, p.Tensor, afterSteps)
					}
				}
			})
		}
	}
}

// TestReferenceWeights draws them with the class's own dropout from a seed, as PyTorch
// does after torch.manual_seed.
func TestReferenceWeights(t *testing.T) {
	checked := 0
	for _, model := range referenceModels {
		t.Run(model, func(t *testing.T) {
			r, _ := load(t, model)
			if r.Init.State == nil {
				return // not every file has them
			}
			checked++
			arch, err := models.Build(path.Base(model), models.Config{Input: [3]int(r.InputShape[1:]), Classes: r.Classes, Rate: r.Rate})
			if err != nil {
				t.Fatal(err)
			}
			g, err := torch.NewGenerator(torch.CPU, r.Init.Seed)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Free()
			n, err := models.New(arch, torch.CPU, g)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Free()
			for _, p := range n.State() {
				r.Init.State[p.Name].Check(t, p.Name, p.Tensor, 1e-7)
			}
		})
	}
	// Other directories may be of a program that does not write them.
	if checked == 0 && os.Getenv("EEGPRUNE_REFERENCE") == "" {
		t.Error("no file has initial weights")
	}
}

func TestReferenceCounts(t *testing.T) {
	for _, model := range referenceModels {
		t.Run(model, func(t *testing.T) {
			r, arch := load(t, model)
			checkCounts(t, r, arch)
		})
	}
}

func checkCounts(t *testing.T, r reference, arch *models.Arch) {
	t.Helper()
	c, err := arch.Count()
	if err != nil {
		t.Fatal(err)
	}
	want := models.Counts{Parameters: r.NumParams, ConvMACs: r.MACs.Conv, BatchNormMACs: r.MACs.BatchNorm, LinearMACs: r.MACs.Linear}
	if d := cmp.Diff(want, c); d != "" {
		t.Errorf("%s (-want +got):\n%s", r.Model, d)
	}
	if c.MACs() != r.MACs.Total {
		t.Errorf("%s: %d MACs, want %d", r.Model, c.MACs(), r.MACs.Total)
	}
}

// described gives names and shapes as the reference files do.
func described(n *models.Network) (parameters, buffers [][2]any) {
	for _, s := range n.State() {
		shape := []any{}
		for _, d := range s.Tensor.Shape() {
			shape = append(shape, float64(d))
		}
		if s.Buffer {
			buffers = append(buffers, [2]any{s.Name, shape})
		} else {
			parameters = append(parameters, [2]any{s.Name, shape})
		}
	}
	return parameters, buffers
}

func checkLoss(t *testing.T, loss *torch.Tensor, want, tolerance float64) {
	t.Helper()
	got, err := loss.Item()
	if err != nil {
		t.Fatal(err)
	}
	if d := (got - want) / want; !(d <= tolerance && d >= -tolerance) {
		t.Errorf("loss %.9g, want %.9g", got, want)
	}
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
