package models

import (
	"fmt"

	"github.com/eegprune/eegprune/models/op"
)

// Checkpoints up to format 2 describe a network by layers in the order of construction, each with
// the names of its inputs.

type legacyLayer struct {
	Name     string   `json:"name"`
	Op       string   `json:"op"`
	Inputs   []string `json:"inputs"`
	In       int      `json:"in"`
	Out      int      `json:"out"`
	Kernel   [2]int   `json:"kernel"`
	Stride   [2]int   `json:"stride"`
	Pad      [4]int   `json:"pad"` // left, right, top, bottom
	Groups   int      `json:"groups"`
	NoBias   bool     `json:"no_bias"`
	Slope    float64  `json:"slope"`
	P        float64  `json:"p"`
	Dim      int      `json:"dim"`
	Momentum float64  `json:"momentum"`
	Eps      float64  `json:"eps"`
	MaxNorm  float64  `json:"max_norm"`
	Probe    bool     `json:"probe"`
}

// legacyOps make layers of the names that operations had.
var legacyOps = map[string]func(net *op.Net, l legacyLayer) op.Layer{
	"conv2d": legacyConv2d,
	"linear": func(net *op.Net, l legacyLayer) op.Layer {
		if l.NoBias {
			return net.LinearNoBias(l.Name, l.In, l.Out)
		}
		return net.Linear(l.Name, l.In, l.Out)
	},
	"batch_norm2d": func(net *op.Net, l legacyLayer) op.Layer {
		return net.BatchNorm2d(l.Name, l.Out, op.NormOptions{Momentum: l.Momentum, Eps: l.Eps})
	},
	"relu":       func(net *op.Net, l legacyLayer) op.Layer { return net.ReLU(l.Name) },
	"selu":       func(net *op.Net, l legacyLayer) op.Layer { return net.SELU(l.Name) },
	"elu":        func(net *op.Net, l legacyLayer) op.Layer { return net.ELU(l.Name, l.Slope) },
	"leaky_relu": func(net *op.Net, l legacyLayer) op.Layer { return net.LeakyReLU(l.Name, l.Slope) },
	"zero_pad2d": func(net *op.Net, l legacyLayer) op.Layer { return net.ZeroPad2d(l.Name, l.Pad) },
	"avg_pool2d": func(net *op.Net, l legacyLayer) op.Layer { return net.AvgPool2d(l.Name, l.Kernel, l.Stride) },
	"dropout":    func(net *op.Net, l legacyLayer) op.Layer { return net.Dropout(l.Name, l.P) },
	"dropout2d":  func(net *op.Net, l legacyLayer) op.Layer { return net.Dropout2d(l.Name, l.P) },
	"flatten":    func(net *op.Net, l legacyLayer) op.Layer { return net.Flatten(l.Name) },
	"mean":       func(net *op.Net, l legacyLayer) op.Layer { return net.Mean(l.Name) },
	"cat":        func(net *op.Net, l legacyLayer) op.Layer { return net.Cat(l.Name, l.Dim) },
}

func legacyConv2d(net *op.Net, l legacyLayer) op.Layer {
	o := op.ConvOptions{Stride: l.Stride, Groups: max(l.Groups, 0), NoBias: l.NoBias}
	before := func(x ...string) string { return x[0] }
	if l.Pad[0] == l.Pad[1] && l.Pad[2] == l.Pad[3] {
		o.Padding = [2]int{l.Pad[2], l.Pad[0]}
	} else {
		before = net.ZeroPad2d(op.LayerOf(l.Name)+".0", l.Pad)
	}
	conv := net.Conv2d(l.Name, l.In, l.Out, l.Kernel, o)
	if l.MaxNorm != 0 {
		net.Bound(l.Name+".weight", l.MaxNorm)
	}
	return func(x ...string) string { return conv(before(x...)) }
}

// legacy makes a network of layers.
func legacy(model string, input [3]int, layers []legacyLayer) (*op.Net, error) {
	net := op.NewNet(input[:]...)
	index, made := map[string]int{}, make([]op.Layer, len(layers))
	used := map[string]bool{}
	for i, l := range layers {
		if _, twice := index[l.Name]; twice || l.Name == Input || l.Name == "" {
			return nil, fmt.Errorf("%s: layer name %q is empty, reserved or used twice", model, l.Name)
		}
		make := legacyOps[l.Op]
		if make == nil {
			return nil, fmt.Errorf("%s: layer %q: operation %q is not known to this version", model, l.Name, l.Op)
		}
		if len(l.Inputs) == 0 || len(l.Inputs) > 1 && l.Op != "cat" {
			return nil, fmt.Errorf("%s: layer %q has %d inputs", model, l.Name, len(l.Inputs))
		}
		index[l.Name], made[i] = i, make(net, l)
		for _, in := range l.Inputs {
			used[in] = true
		}
		if l.Probe {
			net.Probe(l.Name+".weight", l.Inputs[0])
		}
	}
	const visiting, done = 1, 2
	state := make([]int, len(layers))
	var visit func(i int) error
	visit = func(i int) error {
		if state[i] == visiting {
			return fmt.Errorf("%s: layer %q depends on itself", model, layers[i].Name)
		}
		if state[i] == done {
			return nil
		}
		state[i] = visiting
		for _, in := range layers[i].Inputs {
			j, ok := index[in]
			if in == Input {
				continue
			}
			if !ok {
				return fmt.Errorf("%s: layer %q takes its input from %q, which is not there", model, layers[i].Name, in)
			}
			if err := visit(j); err != nil {
				return err
			}
		}
		state[i] = done
		made[i](layers[i].Inputs...)
		return nil
	}
	for i, l := range layers {
		if !used[l.Name] {
			if err := visit(i); err != nil {
				return nil, err
			}
		}
	}
	for i := range layers { // a layer that no output reaches is part of a circle
		if state[i] != done {
			return nil, fmt.Errorf("%s: layer %q depends on itself", model, layers[i].Name)
		}
	}
	return net, nil
}
