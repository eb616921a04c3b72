package models

import (
	"fmt"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models/op"
)

// FBCCNN, the frequency-band correlation network of Pan and Zheng, "Emotion Recognition
// Based on EEG Using Generative Adversarial Nets and Convolutional Neural Network"
// (2021), in torcheeg's form: seven blocks of convolution, ReLU and BatchNorm.

var fbccnnWidths = []int{12, 32, 64, 128, 256, 128, 32}

func fbccnn() Model {
	return Model{Name: "fbccnn", Grid: true,
		Doc: "seven 3x3 conv-ReLU-BN blocks and three linear layers over band features on a grid (Pan 2021)",
		Cite: cite.Paper{
			Key:     "pan2021",
			Authors: []string{"Pan, Bo", "Zheng, Wei"},
			Title:   "Emotion Recognition Based on EEG Using Generative Adversarial Nets and Convolutional Neural Network",
			Journal: "Computational and Mathematical Methods in Medicine", Year: 2021, DOI: "10.1155/2021/2520394",
		},
		Build: buildFBCCNN, Infer: gridOf("block1.0", "block7.0", "lin1.0", "lin3")}
}

func buildFBCCNN(c Config) (*op.Net, error) {
	net, x := op.NewNet(c.Input[:]...), Input
	in := c.Input[0]
	for i, out := range fbccnnWidths {
		block := fmt.Sprintf("block%d", i+1)
		x = net.Conv2d(block+".0", in, out, [2]int{3, 3}, op.ConvOptions{Padding: [2]int{1, 1}})(x)
		x = net.ReLU(block + ".1")(x)
		x = net.BatchNorm2d(block+".2", out, op.NormOptions{})(x)
		in = out
	}
	x = net.Flatten("flatten")(x)
	x = net.ReLU("lin1.1")(net.Linear("lin1.0", net.Size(x, 1), 512)(x))
	x = net.ReLU("lin2.1")(net.Linear("lin2.0", 512, 128)(x))
	net.Linear("lin3", 128, c.Classes)(x)
	return net, nil
}
