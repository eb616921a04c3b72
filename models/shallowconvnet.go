package models

import "github.com/eegprune/eegprune/internal/cite"

import "github.com/eegprune/eegprune/models/op"

// ShallowConvNet (Schirrmeister et al., "Deep learning with convolutional neural networks for EEG
// decoding and visualization", 2017), in the form of braindecode 1.8's ShallowFBCSPNet: a
// convolution over time and one over the electrodes, whose squares are averaged, and the
// logarithm of those.

const (
	shallowFilters = 40
	shallowKernel  = 25
	shallowPool    = 75
	shallowStride  = 15
	shallowEpsilon = 1e-6 // below which no logarithm is taken
)

// schirrmeister is the paper of deep4net too.
func schirrmeister() cite.Paper {
	return cite.Paper{
		Key:     "schirrmeister2017",
		Authors: []string{"Schirrmeister, Robin Tibor", "Springenberg, Jost Tobias", "Fiederer, Lukas Dominique Josef", "Glasstetter, Martin", "Eggensperger, Katharina", "Tangermann, Michael", "Hutter, Frank", "Burgard, Wolfram", "Ball, Tonio"},
		Title:   "Deep learning with convolutional neural networks for EEG decoding and visualization",
		Journal: "Human Brain Mapping", Year: 2017, Volume: "38", Number: "11", Pages: "5391--5420",
	}
}

func shallowConvNet() Model {
	return Model{Name: "shallowconvnet",
		Doc:   "band power by convolutions over time and electrodes over signals [1, electrodes, samples] (Schirrmeister 2017; braindecode)",
		Cite:  schirrmeister(),
		Build: buildShallowConvNet, Infer: inferShallowConvNet}
}

func buildShallowConvNet(c Config) (*op.Net, error) {
	const f = shallowFilters
	net := op.NewNet(c.Input[:]...)
	x := net.Permute("dimshuffle", 0, 1, 3, 2)(Input)
	x = net.Conv2d("conv_time_spat.conv_time", c.Input[0], f, [2]int{shallowKernel, 1}, op.ConvOptions{})(x)
	x = net.Conv2d("conv_time_spat.conv_spat", f, f, [2]int{1, c.Input[1]}, op.ConvOptions{NoBias: true})(x)
	x = net.BatchNorm2d("bnorm", f, op.NormOptions{})(x)
	x = net.Square("conv_nonlin_exp")(x)
	x = net.AvgPool2d("pool", [2]int{shallowPool, 1}, [2]int{shallowStride, 1})(x)
	x = net.Log("pool_nonlin_exp.log")(net.AtLeast("pool_nonlin_exp.clamp", shallowEpsilon)(x))
	x = net.Dropout("drop", c.dropout(0.5))(x)
	x = net.Conv2d("final_layer.conv_classifier", f, c.Classes, [2]int{net.Size(x, 2), 1}, op.ConvOptions{})(x)
	net.Flatten("final_layer.squeeze")(x)
	net.Xavier("conv_time_spat.conv_time", "conv_time_spat.conv_spat", "final_layer.conv_classifier")
	return net, nil
}

// inferShallowConvNet takes the fewest samples of which as many points are left as the last
// layer takes, unless those that are known leave as many.
func inferShallowConvNet(t Shapes, known Config) (Config, error) {
	c := known
	const lost = shallowKernel - 1 + shallowPool
	points := t.dim("final_layer.conv_classifier.weight", 2)
	if left := c.Input[2] - lost; left < 0 || left/shallowStride+1 != points {
		c.Input[2] = lost + (points-1)*shallowStride
	}
	c.Input[0], c.Input[1] = t.dim("conv_time_spat.conv_time.weight", 1), t.dim("conv_time_spat.conv_spat.weight", 3)
	c.Classes = t.dim("final_layer.conv_classifier.weight", 0)
	return c, nil
}
