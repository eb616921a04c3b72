package models

import "fmt"

// CCNN, the continuous convolutional network of Yang et al., "Continuous Convolutional
// Neural Network with 3D Input for EEG-Based Emotion Recognition" (ICONIP 2018), in two
// forms: as the pruning paper prints it, with nothing between its linear layers, and
// as torcheeg has it.

var ccnnWidths = []int{64, 128, 256, 64}

const ccnnHidden = 1024

func ccnn() Model {
	return Model{Name: "ccnn", Grid: true,
		Doc:   "four 4x4 convolutions and two linear layers over band features on a grid (Yang 2018; as in Rao & Zhong)",
		Build: func(c Config) (*Arch, error) { return buildCCNN(c, nil) },
		Infer: gridOf("conv1.1", "conv4.1", "lin1", "lin2")}
}

func ccnnSELU() Model {
	return Model{Name: "ccnn-selu", Grid: true,
		Doc: "CCNN with SELU and dropout after the first linear layer (torcheeg 1.1)",
		Build: func(c Config) (*Arch, error) {
			return buildCCNN(c, []Layer{{Name: "lin1.1", Op: SELU}, {Name: "lin1.2", Op: Dropout2d, P: c.dropout(0.5)}})
		},
		Infer: gridOf("conv1.1", "conv4.1", "lin1.0", "lin2")}
}

// buildCCNN puts between after the first linear layer, which is a module of its own
// where there is something.
func buildCCNN(c Config, between []Layer) (*Arch, error) {
	lin1 := "lin1"
	if between != nil {
		lin1 = "lin1.0"
	}
	net := chain{last: Input}
	var groups []Group
	in := c.Input[0]
	for i, out := range ccnnWidths {
		block := fmt.Sprintf("conv%d", i+1)
		conv, next := block+".1", fmt.Sprintf("conv%d.1", i+2)
		// A kernel of 4 keeps the size of the grid with one zero before and two behind.
		net.add(Layer{Name: block + ".0", Op: ZeroPad2d, Pad: [4]int{1, 2, 1, 2}})
		net.add(Layer{Name: conv, Op: Conv2d, In: in, Out: out, Kernel: [2]int{4, 4}})
		net.add(Layer{Name: block + ".2", Op: ReLU})
		consumer := Member{Layer: next, Span: 1}
		if i == len(ccnnWidths)-1 {
			consumer = Member{Layer: lin1, Span: c.Input[1] * c.Input[2]}
		}
		groups = append(groups, Group{Name: conv, Channels: out, Producers: Members(conv), Consumers: []Member{consumer}})
		in = out
	}
	net.add(Layer{Name: "flatten", Op: Flatten})
	net.add(Layer{Name: lin1, Op: Linear, In: in * c.Input[1] * c.Input[2], Out: ccnnHidden})
	for _, l := range between {
		net.add(l)
	}
	net.add(Layer{Name: "lin2", Op: Linear, In: ccnnHidden, Out: c.Classes})
	groups = append(groups, Group{Name: lin1, Channels: ccnnHidden, Producers: Members(lin1), Consumers: Members("lin2")})
	return &Arch{Layers: net.layers, Groups: groups}, nil
}
