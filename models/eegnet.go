package models

import (
	"fmt"
	"math"
)

// EEGNet (Lawhern et al., "EEGNet: a compact convolutional neural network for EEG-based
// brain-computer interfaces", 2018), in torcheeg's form: a convolution over time, one
// over the electrodes for each of its filters, and a separable one over time.

const (
	eegnetTemporal   = 8  // F1
	eegnetMultiplier = 2  // D: spatial filters for each temporal one
	eegnetSeparable  = 16 // F2
	// torcheeg's, from the authors' Keras program, which counts momentum the other way.
	eegnetMomentum = 0.01
	eegnetEps      = 1e-3
)

func eegnet() Model {
	return Model{Name: "eegnet",
		Doc:   "depthwise and separable convolutions over signals [1, electrodes, samples] (Lawhern 2018)",
		Build: buildEEGNet, Infer: inferEEGNet}
}

// buildEEGNet takes the paper's kernels, half a second and, at a quarter of the rate,
// again half a second: torcheeg's 64 and 16 samples at 128 Hz.
func buildEEGNet(c Config) (*Arch, error) {
	if c.Input[0] != 1 {
		return nil, fmt.Errorf("clips of shape %v: EEGNet takes signals [1, electrodes, samples]", c.Input)
	}
	kernels := c.Kernels
	if kernels == nil {
		if !(c.Rate >= 8) || math.IsInf(c.Rate, 0) {
			return nil, fmt.Errorf("a rate of %g Hz: EEGNet's second kernel is an eighth of a second, so it needs at least 8 Hz", c.Rate)
		}
		kernels = []int{int(c.Rate / 2), int(c.Rate / 8)}
	}
	if len(kernels) != 2 {
		return nil, fmt.Errorf("%d lengths of kernels were given: EEGNet has 2", len(kernels))
	}
	// In time torcheeg pads by half a kernel on both sides, so that one of even length
	// makes a map longer by one.
	along := func(kernel, in, out, groups int) Layer {
		return Layer{Op: Conv2d, In: in, Out: out, Kernel: [2]int{1, kernel}, Pad: [4]int{kernel / 2, kernel / 2, 0, 0}, Groups: groups, NoBias: true}
	}
	const spatial = eegnetTemporal * eegnetMultiplier
	space := Layer{Op: Conv2d, In: eegnetTemporal, Out: spatial, Kernel: [2]int{c.Input[1], 1}, Groups: eegnetTemporal, NoBias: true, MaxNorm: 1}
	norm := func(channels int) Layer {
		return Layer{Op: BatchNorm2d, Out: channels, Momentum: eegnetMomentum, Eps: eegnetEps}
	}
	pool := func(n int) Layer { return Layer{Op: AvgPool2d, Kernel: [2]int{1, n}} }
	elu, dropout := Layer{Op: ELU, Slope: 1}, Layer{Op: Dropout, P: c.dropout(0.25)}
	net := chain{last: Input}
	for b, block := range [][]Layer{
		{along(kernels[0], 1, eegnetTemporal, 0), norm(eegnetTemporal), space, norm(spatial), elu, pool(4), dropout},
		{along(kernels[1], spatial, spatial, spatial), along(1, spatial, eegnetSeparable, 0), norm(eegnetSeparable), elu, pool(8), dropout},
	} {
		for i, l := range block {
			l.Name = fmt.Sprintf("block%d.%d", b+1, i)
			net.add(l)
		}
	}
	steps := eegnetSteps(c.Input[2], kernels)
	net.add(Layer{Name: "flatten", Op: Flatten})
	net.add(Layer{Name: "lin", Op: Linear, In: eegnetSeparable * steps, Out: c.Classes, NoBias: true, Probe: true})
	return &Arch{Layers: net.layers, Groups: []Group{
		// A temporal filter goes with its spatial ones and what they alone feed.
		{Name: "block1.0", Channels: eegnetTemporal,
			Producers: []Member{{"block1.0", 1}, {"block1.2", eegnetMultiplier}, {"block2.0", eegnetMultiplier}},
			Norms:     []Member{{"block1.1", 1}, {"block1.3", eegnetMultiplier}},
			Consumers: []Member{{"block2.1", eegnetMultiplier}}},
		{Name: "block2.1", Channels: eegnetSeparable, Producers: Members("block2.1"), Norms: Members("block2.2"),
			Consumers: []Member{{"lin", steps}}},
	}}, nil
}

// eegnetSteps is how many points in time are left of a clip.
func eegnetSteps(samples int, kernels []int) int {
	samples = (samples + 1 - kernels[0]%2) / 4
	return (samples + 1 - kernels[1]%2) / 8
}

// inferEEGNet reads the kernels, which torcheeg leaves to the caller; D may be any.
func inferEEGNet(t Shapes, known Config) (Config, error) {
	c := known
	c.Kernels = []int{t.dim("block1.0.weight", 3), t.dim("block2.0.weight", 3)}
	c.Rate = float64(2 * c.Kernels[0])
	c.Input = [3]int{1, t.dim("block1.2.weight", 2), known.Input[2]}
	c.Classes = t.dim("lin.weight", 0)
	steps := t.dim("lin.weight", 1) / max(t.dim("block2.1.weight", 0), 1)
	if c.Input[2] < 1 || eegnetSteps(c.Input[2], c.Kernels) != steps {
		// The points in time that are left tell the samples to within a pool: whole
		// seconds if any, else the fewest.
		fewest := 4*(8*steps-1+c.Kernels[1]%2) - 1 + c.Kernels[0]%2
		c.Input[2] = int(c.Rate * math.Ceil(float64(fewest)/max(c.Rate, 1)))
		if eegnetSteps(c.Input[2], c.Kernels) != steps {
			c.Input[2] = fewest
		}
	}
	return c, nil
}
