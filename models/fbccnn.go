package models

import "fmt"

// FBCCNN, the frequency-band correlation network of Pan and Zheng, "Emotion Recognition
// Based on EEG Using Generative Adversarial Nets and Convolutional Neural Network"
// (2021), in torcheeg's form: seven blocks of convolution, ReLU and BatchNorm.

var fbccnnWidths = []int{12, 32, 64, 128, 256, 128, 32}

func fbccnn() Model {
	return Model{Name: "fbccnn", Grid: true,
		Doc:   "seven 3x3 conv-ReLU-BN blocks and three linear layers over band features on a grid (Pan 2021)",
		Build: buildFBCCNN, Infer: gridOf("block1.0", "block7.0", "lin1.0", "lin3")}
}

func buildFBCCNN(c Config) (*Arch, error) {
	net := chain{last: Input}
	var groups []Group
	in := c.Input[0]
	for i, out := range fbccnnWidths {
		block := fmt.Sprintf("block%d", i+1)
		conv, norm := block+".0", block+".2"
		net.add(Layer{Name: conv, Op: Conv2d, In: in, Out: out, Kernel: [2]int{3, 3}, Pad: [4]int{1, 1, 1, 1}})
		net.add(Layer{Name: block + ".1", Op: ReLU})
		net.add(Layer{Name: norm, Op: BatchNorm2d, Out: out})
		consumer := Member{Layer: fmt.Sprintf("block%d.0", i+2), Span: 1}
		if i == len(fbccnnWidths)-1 {
			consumer = Member{Layer: "lin1.0", Span: c.Input[1] * c.Input[2]}
		}
		groups = append(groups, Group{Name: conv, Channels: out, Producers: Members(conv), Norms: Members(norm),
			Consumers: []Member{consumer}})
		in = out
	}
	net.add(Layer{Name: "flatten", Op: Flatten})
	net.add(Layer{Name: "lin1.0", Op: Linear, In: in * c.Input[1] * c.Input[2], Out: 512})
	net.add(Layer{Name: "lin1.1", Op: ReLU})
	net.add(Layer{Name: "lin2.0", Op: Linear, In: 512, Out: 128})
	net.add(Layer{Name: "lin2.1", Op: ReLU})
	net.add(Layer{Name: "lin3", Op: Linear, In: 128, Out: c.Classes})
	groups = append(groups,
		Group{Name: "lin1.0", Channels: 512, Producers: Members("lin1.0"), Consumers: Members("lin2.0")},
		Group{Name: "lin2.0", Channels: 128, Producers: Members("lin2.0"), Consumers: Members("lin3")})
	return &Arch{Layers: net.layers, Groups: groups}, nil
}
