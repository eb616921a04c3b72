package models

import (
	"fmt"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models/op"
)

// CCNN, the continuous convolutional network of Yang et al., "Continuous Convolutional
// Neural Network with 3D Input for EEG-Based Emotion Recognition" (ICONIP 2018), in two
// forms: as the pruning paper prints it, with nothing between its linear layers, and
// as torcheeg has it.

var ccnnWidths = []int{64, 128, 256, 64}

const ccnnHidden = 1024

func ccnnPaper() cite.Paper {
	return cite.Paper{
		Key:     "yang2018",
		Authors: []string{"Yang, Yilong", "Wu, Qingfeng", "Fu, Yazhen", "Chen, Xiaowei"},
		Title:   "Continuous Convolutional Neural Network with 3D Input for EEG-Based Emotion Recognition",
		Book:    "International Conference on Neural Information Processing", Year: 2018, Pages: "433--443", DOI: "10.1007/978-3-030-04239-4_39",
	}
}

func ccnn() Model {
	return Model{Name: "ccnn", Grid: true,
		Doc:   "four 4x4 convolutions and two linear layers over band features on a grid (Yang 2018; as in Rao & Zhong)",
		Cite:  ccnnPaper(),
		Build: func(c Config) (*op.Net, error) { return buildCCNN(c, nil) },
		Infer: gridOf("conv1.1", "conv4.1", "lin1", "lin2")}
}

func ccnnSELU() Model {
	return Model{Name: "ccnn-selu", Grid: true,
		Doc:  "CCNN with SELU and dropout after the first linear layer (torcheeg 1.1)",
		Cite: ccnnPaper(),
		Build: func(c Config) (*op.Net, error) {
			return buildCCNN(c, func(net *op.Net, x string) string {
				return net.Dropout2d("lin1.2", c.dropout(0.5))(net.SELU("lin1.1")(x))
			})
		},
		Infer: gridOf("conv1.1", "conv4.1", "lin1.0", "lin2")}
}

// buildCCNN puts between after the first linear layer, which is a module of its own
// where there is something.
func buildCCNN(c Config, between func(net *op.Net, x string) string) (*op.Net, error) {
	net, x := op.NewNet(c.Input[:]...), Input
	in := c.Input[0]
	for i, out := range ccnnWidths {
		block := fmt.Sprintf("conv%d", i+1)
		// A kernel of 4 keeps the size of the grid with one zero before and two behind.
		x = net.ZeroPad2d(block+".0", [4]int{1, 2, 1, 2})(x)
		x = net.Conv2d(block+".1", in, out, [2]int{4, 4}, op.ConvOptions{})(x)
		x = net.ReLU(block + ".2")(x)
		in = out
	}
	x = net.Flatten("flatten")(x)
	features := net.Size(x, 1)
	if between == nil {
		x = net.Linear("lin1", features, ccnnHidden)(x)
	} else {
		x = between(net, net.Linear("lin1.0", features, ccnnHidden)(x))
	}
	net.Linear("lin2", ccnnHidden, c.Classes)(x)
	return net, nil
}
