package models

import (
	"fmt"
	"math"
	"slices"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models/op"
)

// TSCeption (Ding et al., "TSception: Capturing Temporal Dynamics and Spatial Asymmetry
// from EEG for Emotion Recognition", 2022), in torcheeg's form: three temporal branches
// joined along time, two spatial ones joined along space.

const (
	tsceptionTemporal = 15
	tsceptionSpatial  = 15
	tsceptionHidden   = 32
	leakySlope        = 0.01 // PyTorch's default
)

func tsception() Model {
	return Model{Name: "tsception",
		Doc: "multi-scale temporal and asymmetric spatial convolutions over signals [1, electrodes, samples] (Ding 2022)",
		Cite: cite.Paper{
			Key:     "ding2022",
			Authors: []string{"Ding, Yi", "Robinson, Neethu", "Zhang, Su", "Zeng, Qiuhao", "Guan, Cuntai"},
			Title:   "TSception: Capturing Temporal Dynamics and Spatial Asymmetry from EEG for Emotion Recognition",
			Journal: "IEEE Transactions on Affective Computing", Year: 2022, Volume: "14", Number: "3", Pages: "2238--2250",
		},
		Protocol: Protocol{Optimizer: "adam", Epochs: 300, Milestones: []float64{2.0 / 3, 5.0 / 6}},
		Build:    buildTSCeption, Infer: inferTSCeption}
}

func buildTSCeption(c Config) (*op.Net, error) {
	electrodes, kernels := c.Input[1], c.Kernels
	if kernels == nil {
		if !(c.Rate >= 8) || math.IsInf(c.Rate, 0) {
			return nil, fmt.Errorf("a rate of %g Hz: TSCeption's shortest kernel is an eighth of a second, so it needs at least 8 Hz", c.Rate)
		}
		kernels = tsceptionKernels(c.Rate)
	}
	if len(kernels) != 3 {
		return nil, fmt.Errorf("%d lengths of kernels were given: TSCeption has 3", len(kernels))
	}
	// torcheeg's halves of 3 or 5 electrodes overlap, and its last layer fits no longer.
	if electrodes < 2 || electrodes == 3 || electrodes == 5 {
		return nil, fmt.Errorf("%d electrodes: TSCeption compares the two halves of the head, so it needs 2, 4, 6 or more", electrodes)
	}
	net := op.NewNet(c.Input[:]...)
	// block is a convolution, LeakyReLU and pooling over time.
	block := func(name string, in, out int, kernel, stride [2]int, pool int) op.Layer {
		conv := net.Conv2d(name+".1", in, out, kernel, op.ConvOptions{Stride: stride})
		return func(x ...string) string {
			return net.AvgPool2d(name+".3", [2]int{1, pool}, [2]int{})(net.LeakyReLU(name+".2", leakySlope)(conv(x...)))
		}
	}
	const t, s = tsceptionTemporal, tsceptionSpatial
	var temporal [3]op.Layer
	for i, kernel := range kernels {
		temporal[i] = block(fmt.Sprintf("Tception%d", i+1), c.Input[0], t, [2]int{1, kernel}, [2]int{}, 8)
	}
	half := [2]int{electrodes / 2, 1}
	whole, halves := block("Sception1", t, s, [2]int{electrodes, 1}, [2]int{}, 2), block("Sception2", t, s, half, half, 2)
	fusion := block("fusion_layer", s, s, [2]int{3, 1}, [2]int{}, 4)
	timeNorm, spaceNorm, fusionNorm := net.BatchNorm2d("BN_t", t, op.NormOptions{}), net.BatchNorm2d("BN_s", s, op.NormOptions{}), net.BatchNorm2d("BN_fusion", s, op.NormOptions{})
	hidden, logits := net.Linear("fc.0", s, tsceptionHidden), net.Linear("fc.3", tsceptionHidden, c.Classes)

	x := timeNorm(net.Cat("time", 3)(temporal[0](Input), temporal[1](Input), temporal[2](Input)))
	left := func(x string) string { return x }
	if electrodes%2 == 1 { // torcheeg's: the odd electrode goes to the first half
		left = func(x string) string { return net.ZeroPad2d("Sception2.0", [4]int{0, 0, 1, 0})(x) }
	}
	x = spaceNorm(net.Cat("space", 2)(whole(x), halves(left(x))))
	x = net.Flatten("flatten")(net.Mean("mean")(fusionNorm(fusion(x))))
	logits(net.Dropout("fc.2", c.dropout(0.5))(net.ReLU("fc.1")(hidden(x))))
	return net, nil
}

// tsceptionKernels are half, a quarter and an eighth of a second, as torcheeg rounds them.
func tsceptionKernels(rate float64) []int {
	return []int{int(0.5 * rate), int(0.25 * rate), int(0.125 * rate)}
}

// inferTSCeption takes the lowest whole rate that the three kernels can come from.
func inferTSCeption(t Shapes, known Config) (Config, error) {
	c := known
	c.Kernels = make([]int, 3)
	for i := range c.Kernels {
		c.Kernels[i] = t.dim(fmt.Sprintf("Tception%d.1.weight", i+1), 3)
		c.Rate = max(c.Rate, float64(c.Kernels[i]<<(i+1)))
	}
	if !slices.Equal(tsceptionKernels(c.Rate), c.Kernels) {
		return c, fmt.Errorf("temporal kernels of %v samples: TSCeption's are half, a quarter and an eighth of a second of one rate", c.Kernels)
	}
	c.Input = [3]int{t.dim("Tception1.1.weight", 1), t.dim("Sception1.1.weight", 2), known.Input[2]}
	if c.Input[2] == 0 {
		c.Input[2] = int(clipSeconds * c.Rate)
	}
	c.Classes = t.dim("fc.3.weight", 0)
	return c, nil
}
