package models

import (
	"fmt"
	"math"
	"slices"
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
		Doc:   "multi-scale temporal and asymmetric spatial convolutions over signals [1, electrodes, samples] (Ding 2022)",
		Build: buildTSCeption, Infer: inferTSCeption}
}

func buildTSCeption(c Config) (*Arch, error) {
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
	var net chain
	// block adds convolution, LeakyReLU and pooling over time; the pool's name is
	// the block's output.
	block := func(name string, conv Layer, pool int) string {
		conv.Name, conv.Op = name+".1", Conv2d
		net.add(conv)
		net.add(Layer{Name: name + ".2", Op: LeakyReLU, Slope: leakySlope})
		net.add(Layer{Name: name + ".3", Op: AvgPool2d, Kernel: [2]int{1, pool}})
		return net.last
	}
	var temporal, spatial []string
	for i, kernel := range kernels {
		temporal = append(temporal, block(fmt.Sprintf("Tception%d", i+1), Layer{Inputs: []string{Input},
			In: c.Input[0], Out: tsceptionTemporal, Kernel: [2]int{1, kernel}}, 8))
	}
	half := electrodes / 2
	whole := Layer{Inputs: []string{"BN_t"}, In: tsceptionTemporal, Out: tsceptionSpatial, Kernel: [2]int{electrodes, 1}}
	halves := whole
	halves.Kernel, halves.Stride = [2]int{half, 1}, [2]int{half, 1}
	if electrodes%2 == 1 {
		halves.Pad = [4]int{0, 0, 1, 0} // torcheeg's: the odd electrode goes to the first half
	}
	spatial = append(spatial, block("Sception1", whole, 2), block("Sception2", halves, 2))
	fused := block("fusion_layer", Layer{Inputs: []string{"BN_s"}, In: tsceptionSpatial, Out: tsceptionSpatial,
		Kernel: [2]int{3, 1}}, 4)
	for _, l := range []Layer{
		{Name: "time", Op: Cat, Inputs: temporal, Dim: 3},
		{Name: "BN_t", Op: BatchNorm2d, Inputs: []string{"time"}, Out: tsceptionTemporal},
		{Name: "space", Op: Cat, Inputs: spatial, Dim: 2},
		{Name: "BN_s", Op: BatchNorm2d, Inputs: []string{"space"}, Out: tsceptionSpatial},
		{Name: "BN_fusion", Op: BatchNorm2d, Inputs: []string{fused}, Out: tsceptionSpatial},
		{Name: "mean", Op: Mean, Inputs: []string{"BN_fusion"}},
		{Name: "flatten", Op: Flatten},
		{Name: "fc.0", Op: Linear, In: tsceptionSpatial, Out: tsceptionHidden},
		{Name: "fc.1", Op: ReLU},
		{Name: "fc.2", Op: Dropout, P: c.dropout(0.5)},
		{Name: "fc.3", Op: Linear, In: tsceptionHidden, Out: c.Classes},
	} {
		net.add(l)
	}
	return &Arch{Layers: net.layers, Groups: []Group{
		{Name: "BN_t", Channels: tsceptionTemporal, Producers: Members("Tception1.1", "Tception2.1", "Tception3.1"),
			Norms: Members("BN_t"), Consumers: Members("Sception1.1", "Sception2.1")},
		{Name: "BN_s", Channels: tsceptionSpatial, Producers: Members("Sception1.1", "Sception2.1"),
			Norms: Members("BN_s"), Consumers: Members("fusion_layer.1")},
		{Name: "BN_fusion", Channels: tsceptionSpatial, Producers: Members("fusion_layer.1"),
			Norms: Members("BN_fusion"), Consumers: Members("fc.0")},
		{Name: "fc.0", Channels: tsceptionHidden, Producers: Members("fc.0"), Consumers: Members("fc.3")},
	}}, nil
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
