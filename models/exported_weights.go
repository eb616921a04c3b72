package models

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/models/pt2"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/torch/ptfile"
)

// The initial weights of a graph's networks.

// findDistributions notes how the file's weights look drawn, and whether they were trained since.
// Tensors that are not trained have the file's numbers in every network of the graph.
func (a *Arch) findDistributions(tensors []pt2.Tensor) {
	a.values = map[string]ptfile.Array{}
	for _, t := range tensors {
		own := a.Tensor(t.Name)
		if own == nil {
			continue
		}
		v, err := t.Data.Floats()
		numbers := err == nil && len(v) > 0 && (t.Data.Type == ptfile.Float32 || t.Data.Type == ptfile.Float64)
		if own.Buffer {
			a.values[t.Name] = t.Data
			variance := strings.HasSuffix(t.Name, "running_var")
			moved := func(x float64) bool { return x != 0 && !variance || x != 1 && variance }
			if numbers && a.trace.Role(t.Name, 0) == op.Statistic && slices.ContainsFunc(v, moved) && !probed(tensors, op.LayerOf(t.Name)) {
				a.Exported.Trained = t.Name + " is not as PyTorch begins with it"
			}
			continue
		}
		own.Fill, own.Init = 0, nil
		if !numbers {
			continue
		}
		low, high := slices.Min(v), slices.Max(v)
		if low == high {
			own.Fill = low
			continue
		}
		if role := a.trace.Role(t.Name, 0); role == op.Scale {
			a.Exported.Trained = t.Name + " differs from channel to channel"
		}
		mean, std := stat.PopMeanStdDev(v, nil)
		own.Init = &op.Init{Kind: op.Normal, Mean: mean, Std: std, FanIn: a.fanIn(own)}
		extent := max(high-mean, mean-low) / std
		switch bound := 1 / math.Sqrt(float64(own.Init.FanIn)); {
		case own.Init.FanIn > 0 && max(high, -low) <= bound*(1+1e-6) && math.Abs(std*math.Sqrt(3)/bound-1) < 4/math.Sqrt(float64(len(v))):
			*own.Init = op.Init{Kind: op.Default, FanIn: own.Init.FanIn}
		case extent < math.Sqrt(3)*(1+4/math.Sqrt(float64(len(v)))):
			own.Init.Kind = op.Uniform
		}
	}
}

// probed reports whether a BatchNorm saw so few batches that its class sent them through while it was
// made, to find the sizes of its layers.
func probed(tensors []pt2.Tensor, layer string) bool {
	const few = 8
	i := slices.IndexFunc(tensors, func(t pt2.Tensor) bool { return t.Name == layer+".num_batches_tracked" })
	if i < 0 {
		return false
	}
	v, err := tensors[i].Data.Floats()
	return err == nil && len(v) == 1 && v[0] <= few
}

// fanIn is how many inputs each filter has that a tensor is of or adds to, 0 where it is of none.
func (a *Arch) fanIn(t *op.Tensor) int {
	switch a.trace.Role(t.Name, 0) {
	case op.Filter:
		if len(t.Shape) > 1 && a.Kind(t.Name) != "" {
			return t.Len() / t.Shape[0]
		}
	case op.Bias:
		owner, arg := a.Owner(t.Name)
		if owner == nil || arg != "bias" {
			return 0
		}
		if w := a.Tensor(owner.Ref("weight")); w != nil && len(w.Shape) > 1 {
			return w.Len() / w.Shape[0]
		}
	}
	return 0
}

// begin gives a tensor of an exported network its initial numbers: the file's own where it
// is not trained, or where the file's weights are asked for, else numbers drawn as the file's look
// drawn.
func (n *Network) begin(t *op.Tensor, x *torch.Tensor, g *torch.Generator) error {
	if own, ok := n.Arch.values[t.Name]; ok {
		v, err := torch.TensorOf(own)
		if err != nil {
			return err
		}
		defer v.Free()
		return x.CopyFrom(v)
	}
	if g == nil || t.Init == nil || t.Buffer {
		return nil
	}
	fanIn := n.Arch.fanIn(t)
	std := t.Init.Std
	if fanIn > 0 && t.Init.FanIn > 0 {
		std *= math.Sqrt(float64(t.Init.FanIn) / float64(fanIn))
	}
	switch t.Init.Kind {
	case op.Default:
		bound := 1 / math.Sqrt(float64(max(fanIn, 1)))
		return g.Uniform(x, -bound, bound)
	case op.Uniform:
		return g.Uniform(x, t.Init.Mean-math.Sqrt(3)*std, t.Init.Mean+math.Sqrt(3)*std)
	}
	return g.Normal(x, t.Init.Mean, std)
}

// remember keeps the tensors of a checkpoint that the graph holds and that are not trained.
func (a *Arch) remember(tensors []ptfile.Named) {
	if a.Exported == nil {
		return
	}
	a.values = map[string]ptfile.Array{}
	for _, t := range tensors {
		if own := a.Tensor(t.Name); own != nil && own.Buffer {
			a.values[t.Name] = t.Array
		}
	}
}

// rowsOf returns the part of an array that is left: of each dimension these indices, nil for all.
func rowsOf(a ptfile.Array, rows [][]int) ptfile.Array {
	size := a.Type.Size()
	data, shape := a.Data, slices.Clone(a.Shape)
	for dim, kept := range rows {
		if kept == nil {
			continue
		}
		inner := size
		for _, n := range shape[dim+1:] {
			inner *= n
		}
		var left []byte
		for at := 0; at+shape[dim]*inner <= len(data) && inner > 0; at += shape[dim] * inner {
			for _, j := range kept {
				left = append(left, data[at+j*inner:at+(j+1)*inner]...)
			}
		}
		data, shape[dim] = left, len(kept)
	}
	return ptfile.Array{Type: a.Type, Shape: shape, Data: data}
}

// Fresh describes the weights that a network of PyTorch's has at the start of a training.
func (a *Arch) Fresh() string {
	kinds := map[string][]string{}
	for i := range a.Tensors {
		t := &a.Tensors[i]
		if t.Buffer {
			continue
		}
		kind := "constant"
		switch _, given := a.values[t.Name]; {
		case given:
			return "those of the file"
		case t.Init != nil && t.Init.Kind == op.Default:
			kind = "as PyTorch's layers draw them"
		case t.Init != nil:
			kind = t.Init.Kind + " with the file's mean and deviation"
		}
		kinds[kind] = append(kinds[kind], t.Name)
	}
	var said []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		text := fmt.Sprintf("%s: %d tensors", kind, len(kinds[kind]))
		if names := kinds[kind]; len(names) <= 3 {
			text = kind + ": " + strings.Join(names, ", ")
		}
		said = append(said, text)
	}
	return strings.Join(said, "; ")
}
