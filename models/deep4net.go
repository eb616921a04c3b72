package models

import (
	"fmt"

	"github.com/eegprune/eegprune/models/op"
)

// Deep4Net (Schirrmeister et al., "Deep learning with convolutional neural networks for EEG
// decoding and visualization", 2017), in the form of braindecode 1.8: a convolution over time and
// one over the electrodes, then three over time, each with BatchNorm, ELU and a maximum pool.

const (
	deep4First  = 25
	deep4Kernel = 10
	deep4Pool   = 3
)

var deep4Widths = []int{50, 100, 200} // of the blocks after the first

func deep4Net() Model {
	return Model{Name: "deep4net",
		Doc:   "four blocks of convolutions over time, the first over electrodes too, over signals [1, electrodes, samples] (Schirrmeister 2017; braindecode)",
		Cite:  schirrmeister(),
		Build: buildDeep4Net, Infer: inferDeep4Net}
}

func buildDeep4Net(c Config) (*op.Net, error) {
	const f = deep4First
	net := op.NewNet(c.Input[:]...)
	pool := [2]int{deep4Pool, 1}
	x := net.Permute("dimshuffle", 0, 1, 3, 2)(Input)
	x = net.Conv2d("conv_time_spat.conv_time", c.Input[0], f, [2]int{deep4Kernel, 1}, op.ConvOptions{})(x)
	x = net.Conv2d("conv_time_spat.conv_spat", f, f, [2]int{1, c.Input[1]}, op.ConvOptions{NoBias: true})(x)
	x = net.ELU("conv_nonlin", 1)(net.BatchNorm2d("bnorm", f, op.NormOptions{})(x))
	x = net.MaxPool2d("pool", pool, pool)(x)
	again, in := []string{"conv_time_spat.conv_time", "conv_time_spat.conv_spat"}, f
	for i, out := range deep4Widths {
		name := func(kind string) string { return fmt.Sprintf("%s_%d", kind, i+2) }
		x = net.Dropout(name("drop"), c.dropout(0.5))(x)
		x = net.Conv2d(name("conv"), in, out, [2]int{deep4Kernel, 1}, op.ConvOptions{NoBias: true})(x)
		x = net.ELU(name("nonlin"), 1)(net.BatchNorm2d(name("bnorm"), out, op.NormOptions{})(x))
		x = net.MaxPool2d(name("pool"), pool, pool)(x)
		again, in = append(again, name("conv")), out
	}
	x = net.Conv2d("final_layer.conv_classifier", in, c.Classes, [2]int{net.Size(x, 2), 1}, op.ConvOptions{})(x)
	net.Flatten("final_layer.squeeze")(x)
	net.Xavier(append(again, "final_layer.conv_classifier")...)
	return net, nil
}

// deep4Points is how many points in time are left of a clip.
func deep4Points(samples int) int {
	for range 1 + len(deep4Widths) {
		samples = (samples - deep4Kernel + 1) / deep4Pool
	}
	return samples
}

// inferDeep4Net takes the fewest samples of which as many points are left as the last layer
// takes, unless those that are known leave as many.
func inferDeep4Net(t Shapes, known Config) (Config, error) {
	c := known
	points := t.dim("final_layer.conv_classifier.weight", 2)
	if deep4Points(c.Input[2]) != points {
		c.Input[2] = points
		for range 1 + len(deep4Widths) {
			c.Input[2] = c.Input[2]*deep4Pool + deep4Kernel - 1
		}
	}
	c.Input[0], c.Input[1] = t.dim("conv_time_spat.conv_time.weight", 1), t.dim("conv_time_spat.conv_spat.weight", 3)
	c.Classes = t.dim("final_layer.conv_classifier.weight", 0)
	return c, nil
}
