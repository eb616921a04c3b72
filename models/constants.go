package models

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// maxConstant is how many elements a constant may have.
const maxConstant = 1 << 29

// Constants are the values of a network that are the same for all clips, such as weights that are
// computed from parameters. Free frees them; the parameters and buffers are the network's.
type Constants struct {
	n      *Network
	scope  *torch.Scope
	places map[string]int
	varies map[string]bool
	values op.Values
}

// Constants begins with the network's parameters and buffers.
func (n *Network) Constants() *Constants {
	return &Constants{n: n, scope: torch.NewScope(torch.NoGrad), places: map[string]int{}, varies: map[string]bool{}}
}

// Free frees the results of Add.
func (k *Constants) Free() { k.scope.Close() }

// Vary says that a value is no constant any more: something of the clips was written over it.
func (k *Constants) Vary(name string) { k.varies[name] = true }

// Tensor is a constant, parameter or buffer, or nil. It belongs to k or its network.
func (k *Constants) Tensor(name string) *torch.Tensor {
	if k.varies[name] {
		return nil
	}
	if at, ok := k.places[name]; ok {
		return k.values.At[at]
	}
	return k.n.tensors[name]
}

// Add computes a node in evaluation, if its inputs and outputs are constants, and reports whether
// it did. Nodes are added in the network's order.
func (k *Constants) Add(c *op.Call) (bool, error) {
	if !k.constant(c) {
		return false, nil
	}
	b := op.Binding{Call: c, Tensors: k.n.tensors, Places: k.places, Device: k.n.device}
	run, err := b.Kernels()
	if err != nil {
		return false, err
	}
	out := run(k.scope, &k.values)
	if err := k.scope.Err(); err != nil {
		return false, err
	}
	if len(out) < len(c.Gives) {
		return false, errors.New("it gives fewer tensors than its graph says")
	}
	for i, v := range c.Gives {
		if v.Name == "" {
			continue
		}
		// A tensor of complex numbers does not say its shape.
		if shape := out[i].Shape(); !strings.HasPrefix(string(v.Type), "complex") && !slices.Equal(shape, v.Shape) {
			return false, fmt.Errorf("it gives a tensor of shape %v where its graph says %v", shape, v.Shape)
		}
		k.places[v.Name] = len(k.values.At)
		k.values.At = append(k.values.At, out[i])
	}
	return true, nil
}

func (k *Constants) constant(c *op.Call) bool {
	if c.Gives == nil || strings.Contains(c.Op, "rand") || strings.Contains(c.Op, "normal") {
		return false
	}
	for _, v := range c.Args {
		switch v := v.(type) {
		case op.Size:
			if v.Clips {
				return false
			}
		case []op.Size:
			if slices.ContainsFunc(v, func(n op.Size) bool { return n.Clips }) {
				return false
			}
		}
	}
	for _, v := range c.Gives {
		size := 1
		for _, n := range v.Shape {
			if n < 0 || n > maxConstant/size {
				return false
			}
			size = max(size*n, 1)
		}
	}
	return !slices.ContainsFunc(c.Inputs(), func(in string) bool { return k.Tensor(in) == nil })
}
