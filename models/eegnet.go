package models

import (
	"fmt"
	"math"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models/op"
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
		Doc: "depthwise and separable convolutions over signals [1, electrodes, samples] (Lawhern 2018)",
		Cite: cite.Paper{
			Key:     "lawhern2018",
			Authors: []string{"Lawhern, Vernon J.", "Solon, Amelia J.", "Waytowich, Nicholas R.", "Gordon, Stephen M.", "Hung, Chou P.", "Lance, Brent J."},
			Title:   "EEGNet: a compact convolutional neural network for EEG-based brain-computer interfaces",
			Journal: "Journal of Neural Engineering", Year: 2018, Volume: "15", Number: "5", Pages: "056013",
		},
		Build: buildEEGNet, Infer: inferEEGNet}
}

// buildEEGNet takes the paper's kernels, half a second and, at a quarter of the rate,
// again half a second: torcheeg's 64 and 16 samples at 128 Hz.
func buildEEGNet(c Config) (*op.Net, error) {
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
	net, x := op.NewNet(c.Input[:]...), Input
	// In time torcheeg pads by half a kernel on both sides, so that one of even length
	// makes a map longer by one.
	along := func(name string, kernel, in, out, groups int) op.Layer {
		return net.Conv2d(name, in, out, [2]int{1, kernel}, op.ConvOptions{Padding: [2]int{0, kernel / 2}, Groups: groups, NoBias: true})
	}
	norm := op.NormOptions{Momentum: eegnetMomentum, Eps: eegnetEps}
	const spatial = eegnetTemporal * eegnetMultiplier
	x = along("block1.0", kernels[0], 1, eegnetTemporal, 0)(x)
	x = net.BatchNorm2d("block1.1", eegnetTemporal, norm)(x)
	x = net.Conv2d("block1.2", eegnetTemporal, spatial, [2]int{c.Input[1], 1}, op.ConvOptions{Groups: eegnetTemporal, NoBias: true})(x)
	net.Bound("block1.2.weight", 1)
	x = net.BatchNorm2d("block1.3", spatial, norm)(x)
	x = net.ELU("block1.4", 1)(x)
	x = net.AvgPool2d("block1.5", [2]int{1, 4}, [2]int{})(x)
	x = net.Dropout("block1.6", c.dropout(0.25))(x)
	x = along("block2.0", kernels[1], spatial, spatial, spatial)(x)
	x = along("block2.1", 1, spatial, eegnetSeparable, 0)(x)
	x = net.BatchNorm2d("block2.2", eegnetSeparable, norm)(x)
	x = net.ELU("block2.3", 1)(x)
	x = net.AvgPool2d("block2.4", [2]int{1, 8}, [2]int{})(x)
	x = net.Dropout("block2.5", c.dropout(0.25))(x)
	x = net.Flatten("flatten")(x)
	net.LinearNoBias("lin", net.Size(x, 1), c.Classes)(x)
	net.Probe("lin.weight", x)
	return net, nil
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
