package models

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// fatal is what both a test and a property can do.
type fatal interface{ Fatal(args ...any) }

// trained returns the output of a training pass, the gradients of a loss that weighs its elements, the
// input's included, and the buffers after it.
func trained(t fatal, n *Network, clips int) map[string][]float32 {
	found := map[string][]float32{}
	g, err := torch.NewGenerator(torch.CPU, 9)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	random := func(shape ...int) *torch.Tensor {
		x, err := torch.Zeros(shape...)
		if err == nil {
			err = g.Normal(x, 0.3, 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	x := random(append([]int{clips}, n.Arch.Input[:]...)...)
	defer x.Free()
	if err := x.RequireGrad(); err != nil {
		t.Fatal(err)
	}
	s := torch.NewScope(torch.Grad)
	defer s.Close()
	if all := n.Parameters(); len(all) > 0 {
		o, err := torch.NewSGD(all, torch.SGDOptions{})
		if err == nil {
			defer o.Free()
			err = o.ZeroGrad()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	before := map[string]*torch.Tensor{}
	for _, b := range n.State() {
		if b.Buffer {
			before[b.Name] = s.Clone(b.Tensor)
		}
	}
	out := n.Forward(s, x, Pass{Training: true, Generator: g})
	weigh := random(out.Shape()...)
	defer weigh.Free()
	s.Backward(s.Sum(s.Mul(out, weigh)))
	take := func(name string, x *torch.Tensor) {
		v, err := torch.ToSlice[float32](s.To(x, torch.Float32, torch.CPU))
		if err != nil {
			t.Fatal(name, err, s.Err())
		}
		found[name] = v
	}
	take("output", out)
	take("gradient of the input", s.GradOf(x))
	for _, p := range n.State() {
		if p.Buffer {
			take(p.Name, p.Tensor)
			if err := p.Tensor.CopyFrom(before[p.Name]); err != nil {
				t.Fatal(err)
			}
		} else {
			take("gradient of "+p.Name, s.GradOf(p.Tensor))
		}
	}
	return found
}

// apart is the largest difference of two lists of numbers, and the largest number.
func apart(got, want []float32) (off, largest float64) {
	if len(got) != len(want) {
		return math.Inf(1), 1
	}
	for i := range want {
		off, largest = max(off, math.Abs(float64(got[i]-want[i]))), max(largest, math.Abs(float64(want[i])))
		if math.IsNaN(float64(got[i])) {
			return math.Inf(1), 1
		}
	}
	return off, max(largest, 1e-6)
}

// The rounding of a float32 sum in another order.
const rounding = 2e-5

func checkVariants(t fatal, n *Network, clips int, what string) (found []string) {
	all, err := n.Arch.Alternatives(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		one, err := n.Alone(a.Layer)
		if err != nil {
			t.Fatal(err)
		}
		want := trained(t, one, clips)
		for _, name := range a.Variants {
			if err := one.TakeVariants(Variants{a.Layer: name}); err != nil {
				t.Fatal(err)
			}
			got := trained(t, one, clips)
			for value := range want {
				off, largest := apart(got[value], want[value])
				if strings.HasSuffix(value, "running_mean") {
					largest = max(largest, 1) // as clips are, whose mean may be nearly zero
				}
				if !(off <= rounding*largest) {
					t.Fatal(fmt.Sprintf("%s, %d clips, %s by %q: the %s is off by %.2g of its largest", what, clips, a.Key, name, value, off/largest))
				}
			}
			found = append(found, name)
		}
		one.Free()
	}
	return found
}

// Each variant of each layer of all networks computes what libtorch's operation computes, backwards too, and
// leaves the same buffers.
func TestVariantsAreTheOperation(t *testing.T) {
	var found []string
	for name, n := range nets(t) {
		live := torch.LiveTensors()
		for _, clips := range []int{1, 6} {
			if name == "testdata/ops/batch_norm.json" && clips == 1 {
				continue // one number for each channel has no variance
			}
			found = append(found, checkVariants(t, n, clips, name)...)
		}
		if left := torch.LiveTensors() - live; left != 0 {
			t.Errorf("%s: %d tensors are left", name, left)
		}
	}
	for _, name := range VariantNames() {
		// TestGPUVariants in package train tries the kernels; cgo/test has their numbers on a CPU.
		if !slices.Contains(found, name) && name != op.OwnKernel {
			t.Errorf("no network has a layer for the variant %q", name)
		}
	}
}

// A network whose layers all take a variant, one after the other in all ways, trains as without.
func TestVariantsTogether(t *testing.T) {
	for name, n := range nets(t) {
		all, err := n.Arch.Alternatives(false)
		if err != nil {
			t.Fatal(err)
		}
		want := trained(t, n, 6)
		for _, variant := range VariantNames() {
			v := Variants{}
			for _, a := range all {
				if slices.Contains(a.Variants, variant) {
					v[a.Layer] = variant
				}
			}
			if len(v) == 0 {
				continue
			}
			if err := n.TakeVariants(v); err != nil {
				t.Fatal(err)
			}
			got := trained(t, n, 6)
			steepest := 0.0
			for value, numbers := range want {
				if _, largest := apart(numbers, numbers); strings.HasPrefix(value, "gradient") {
					steepest = max(steepest, largest)
				}
			}
			for value := range want {
				off, largest := apart(got[value], want[value])
				// The gradient of a bias before a BatchNorm is zero, but for what is rounded.
				if strings.HasPrefix(value, "gradient") {
					largest = steepest
				}
				// What one layer rounds, the ones after it carry on.
				if !(off <= 10*rounding*largest) {
					t.Errorf("%s with %s: the %s is off by %.2g of the largest", name, v, value, off/largest)
				}
			}
		}
		if n.TakeVariants(Variants{"nosuch": "mean"}) == nil {
			t.Errorf("%s takes a variant for a layer that it has not", name)
		}
		if len(all) > 0 && n.TakeVariants(Variants{all[0].Layer: "nosuch"}) == nil {
			t.Errorf("%s takes a variant that there is not", name)
		}
	}
}

func TestVariantsOfAnyShape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string, from, to int) int { return rapid.IntRange(from, to).Draw(t, name) }
		in := [3]int{n("channels", 1, 4), n("height", 1, 9), n("width", 1, 24)}
		a := &Arch{Model: "one", Input: in, Classes: 2}
		channels := in[0]
		switch rapid.SampledFrom([]string{"conv", "pool", "norm"}).Draw(t, "operation") {
		case "conv":
			kernel := []int{n("kernel height", 1, in[1]), n("kernel width", 1, in[2])}
			if rapid.Bool().Draw(t, "whole column") {
				kernel = []int{in[1], 1}
			}
			args := op.Args{"input": op.Ref(Input), "weight": op.Ref("c.weight"), "stride": []int{n("stride height", 1, 3), n("stride width", 1, 3)},
				"padding": []int{n("padding height", 0, 2), n("padding width", 0, 2)}}
			if rapid.Bool().Draw(t, "beside") {
				args["stride"], args["padding"] = []int{kernel[0], 1}, []int{0, 0}
			}
			channels = n("filters", 1, 5)
			per := in[0]
			if rapid.Bool().Draw(t, "depthwise") {
				channels, per = in[0]*n("each", 1, 3), 1
				args["groups"] = in[0]
			}
			if rapid.Bool().Draw(t, "bias") {
				args["bias"] = op.Ref("c.bias")
				a.Tensors = append(a.Tensors, op.Tensor{Name: "c.bias", Shape: []int{channels}})
			}
			a.Tensors = append(a.Tensors, op.Tensor{Name: "c.weight", Shape: []int{channels, per, kernel[0], kernel[1]}})
			a.Nodes = append(a.Nodes, op.Node{Name: "c", Op: op.Conv2d, Args: args})
		case "pool":
			a.Nodes = append(a.Nodes, op.Node{Name: "c", Op: op.AvgPool2d, Args: op.Args{"self": op.Ref(Input),
				"kernel_size": []int{n("kernel height", 1, in[1]), n("kernel width", 1, in[2])}}})
		case "norm":
			// Of few numbers the input's gradient is nearly zero: what is rounded is as large.
			a.Input[1], a.Input[2] = max(in[1], 4), max(in[2], 4)
			args := op.Args{"input": op.Ref(Input), "training": true, "momentum": rapid.Float64Range(0, 1).Draw(t, "momentum"), "eps": 1e-5, "cudnn_enabled": true}
			for _, arg := range []string{"weight", "bias", "running_mean", "running_var"} {
				args[arg] = op.Ref("c." + arg)
				a.Tensors = append(a.Tensors, op.Tensor{Name: "c." + arg, Shape: []int{channels}, Buffer: arg[0] == 'r'})
			}
			a.Nodes = append(a.Nodes, op.Node{Name: "c", Op: op.BatchNorm, Args: args})
		}
		g, err := torch.NewGenerator(torch.CPU, rapid.Uint64().Draw(t, "seed"))
		if err != nil {
			t.Fatal(err)
		}
		defer g.Free()
		whole := &Network{Arch: a, tensors: map[string]*torch.Tensor{}, steps: map[mode]*program{}}
		defer whole.Free()
		for i := range a.Tensors {
			x, err := a.Tensors[i].Make(torch.CPU)
			if err == nil {
				whole.tensors[a.Tensors[i].Name] = x
				err = g.Normal(x, 0.2, 1)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		checkVariants(t, whole, n("clips", 2, 3), "one layer")
	})
}
