package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// nets are networks for which each rule has something to do: those that there are, the small ones around each
// operation, and those of other programs.
func nets(t *testing.T) map[string]*Network {
	all, archs := map[string]*Network{}, map[string]*Arch{}
	for _, m := range All() {
		c := Config{Input: [3]int{4, 9, 9}, Classes: 3}
		if !m.Grid {
			c = Config{Input: [3]int{1, 7, 640}, Classes: 3, Rate: 64}
		}
		a, err := m.build(c)
		if err != nil {
			t.Fatal(err)
		}
		archs[m.Name] = a
	}
	files, err := filepath.Glob("testdata/ops/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		var r struct{ Arch *Arch }
		data, err := os.ReadFile(file)
		if err := errors.Join(err, json.Unmarshal(data, &r)); err != nil {
			t.Fatal(err)
		}
		archs[file] = r.Arch
	}
	for name, a := range archs {
		all[name] = drawn(t, a, 5)
	}
	for _, file := range []string{"causal", "double", "rows", "tall", "views"} {
		n, _, err := OpenExported("pt2/testdata/"+file+".2.15.pt2", torch.CPU)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Free)
		all[file] = n
	}
	return all
}

// drawn is a network whose weights are drawn from a seed, until the test ends.
func drawn(t *testing.T, a *Arch, seed uint64) *Network {
	t.Helper()
	g, err := torch.NewGenerator(torch.CPU, seed)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	n, err := New(a, torch.CPU, g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Free)
	return n
}

// pass computes a network by steps compiled without some rules.
func pass(t *testing.T, n *Network, m mode, without ...string) []float32 {
	t.Helper()
	p, err := n.program(n.Arch, m, without...)
	if err != nil {
		t.Fatal(err)
	}
	const clips = 16
	g, err := torch.NewGenerator(torch.CPU, 9)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	x, err := torch.Zeros(clips, n.Arch.Input[0], n.Arch.Input[1], n.Arch.Input[2])
	if err != nil {
		t.Fatal(err)
	}
	defer x.Free()
	if err := g.Normal(x, 0, 1); err != nil {
		t.Fatal(err)
	}
	s := torch.NewScope(torch.Mode(m.training))
	defer s.Close()
	in := x
	if m.innermost {
		in = s.HWCN(x)
	}
	v, err := torch.ToSlice[float32](p.run(s, in, Pass{Training: m.training, Generator: g}))
	if err != nil {
		t.Fatal(err, s.Err())
	}
	return v
}

// TestRules leaves each rule out alone, and then has it alone: in a training that changes no bit,
// in an evaluation the last at most. Each rule changes the steps of some network.
func TestRules(t *testing.T) {
	all := nets(t)
	var names []string
	for _, r := range rules {
		names = append(names, r.name)
	}
	for _, r := range rules {
		others := strings.Split(strings.ReplaceAll(strings.Join(names, "|")+"|", r.name+"|", ""), "|")
		fits, changed := false, false
		for name, n := range all {
			for m := range n.steps {
				if m.each || !r.fits(m, false) {
					continue
				}
				fits = true
				whole, err := n.program(n.Arch, m)
				if err != nil {
					t.Fatal(err)
				}
				less, err := n.program(n.Arch, m, r.name)
				if err != nil {
					t.Fatal(err)
				}
				changed = changed || fmt.Sprint(whole.plan) != fmt.Sprint(less.plan)
				want := pass(t, n, m, names...)
				for what, got := range map[string][]float32{"left out": pass(t, n, m, r.name), "alone": pass(t, n, m, others...)} {
					for i := range want {
						d, size := math.Abs(float64(got[i]-want[i])), math.Abs(float64(want[i]))
						if m.training && d > 0 || !(d <= 1e-5*max(1, size)) {
							t.Errorf("%s, %v, %q %s: output %d is %v, want %v", name, m, r.name, what, i, got[i], want[i])
							break
						}
					}
				}
			}
		}
		if fits && !changed { // TestKernelsAreCounted in package train has the rule that fits a GPU alone
			t.Errorf("%q does nothing for any network", r.name)
		}
	}
}

// A network's steps can be cut in two wherever one value passes, and the clips computed in parts until there.
func TestStepsInParts(t *testing.T) {
	const clips = 5
	cuts, fixed := 0, 0
	for name, n := range nets(t) {
		p, err := n.program(n.Arch, mode{few: true})
		if err != nil {
			t.Fatal(err)
		}
		g, err := torch.NewGenerator(torch.CPU, 9)
		if err != nil {
			t.Fatal(err)
		}
		x, err := torch.Zeros(clips, n.Arch.Input[0], n.Arch.Input[1], n.Arch.Input[2])
		if err == nil {
			err = g.Normal(x, 0, 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		logits := func(run func(s *torch.Scope) *torch.Tensor) []float32 {
			s := torch.NewScope(torch.NoGrad)
			defer s.Close()
			v, err := torch.ToSlice[float32](run(s))
			if err != nil {
				t.Fatal(name, err, s.Err())
			}
			return v
		}
		want := logits(func(s *torch.Scope) *torch.Tensor { return p.run(s, x, Pass{}) })
		for end, at := range p.cuts {
			if at.place < 0 {
				continue
			}
			cuts++
			for _, together := range []int{1, 2} {
				got := logits(func(s *torch.Scope) *torch.Tensor { return p.inParts(s, x, together, end) })
				for i, w := range want {
					if !(math.Abs(float64(got[i]-w)) <= 1e-5*max(1, math.Abs(float64(w)))) {
						t.Fatalf("%s, %d clips at once before step %d: output %d is %v, want %v", name, together, end, i, got[i], w)
					}
				}
			}
		}
		for _, st := range p.steps {
			if st.fixed {
				fixed++
			}
		}
		// As many bytes as one clip's largest map has.
		if together, end := p.front(clips, 4*p.largest); together < 1 || p.cuts[end].place < 0 {
			t.Errorf("%s: %d clips at once before step %d", name, together, end)
		}
		g.Free()
		x.Free()
	}
	if cuts < 100 || fixed == 0 {
		t.Errorf("%d cuts, %d fixed steps", cuts, fixed)
	}
}

// Rows padded by a word keep their zeros, also where the graph overwrites a value and no rule applies:
// each node alone is computed by libtorch.
func TestRowsPaddedByAWord(t *testing.T) {
	for _, padding := range []string{"same", "valid"} {
		for _, over := range []string{"aten.relu.default", "aten.relu_.default"} {
			length := map[string]int{"same": 12, "valid": 8}[padding]
			conv := op.Value{Name: "conv", Shape: []int{op.Batch, 4, length}}
			a := &Arch{Model: "rows", Input: [3]int{3, 1, 12}, Classes: 3, Nodes: []op.Node{
				{Name: "row", Op: op.Flatten, Args: op.Args{"self": op.Ref(Input), "start_dim": 2}},
				{Name: "conv", Op: "aten.conv1d.padding", Args: op.Args{"input": op.Ref("row"), "weight": op.Ref("conv.weight"),
					"bias": op.Ref("conv.bias"), "padding": padding, "dilation": []int{2}}, Gives: []op.Value{conv}},
				{Name: "over", Op: over, Args: op.Args{"self": op.Ref("conv")}, Gives: []op.Value{{Name: "over", Shape: conv.Shape}}},
				{Name: "conv2", Op: "aten.conv1d.padding", Args: op.Args{"input": op.Ref("over"), "weight": op.Ref("conv2.weight"),
					"padding": padding}, Gives: []op.Value{{Name: "conv2", Shape: []int{op.Batch, 6, map[string]int{"same": 12, "valid": 5}[padding]}}}},
				{Name: "flatten", Op: op.Flatten, Args: op.Args{"self": op.Ref("conv2"), "start_dim": 1}},
				{Name: "out", Op: op.Linear, Args: op.Args{"input": op.Ref("flatten"), "weight": op.Ref("out.weight")}},
			}, Tensors: []op.Tensor{{Name: "conv.weight", Shape: []int{4, 3, 3}}, {Name: "conv.bias", Shape: []int{4}}, {Name: "conv2.weight", Shape: []int{6, 4, 4}},
				{Name: "out.weight", Shape: []int{3, 6 * map[string]int{"same": 12, "valid": 5}[padding]}}}}
			n := drawn(t, a, 3)
			want := pass(t, n, mode{each: true})
			for m := range n.steps {
				for i, got := range pass(t, n, m) {
					if !(math.Abs(float64(got-want[i])) <= 1e-5) {
						t.Fatalf("%s, %s, %v: output %d is %v, want %v", padding, over, m, i, got, want[i])
					}
				}
			}
		}
	}
}

// String lists a plan's steps: the nodes of each, its fused operations, and the rule that made
// it.
func (p *plan) String() string {
	var b strings.Builder
	for _, st := range p.steps {
		for _, n := range st.nodes {
			fmt.Fprintf(&b, "%s ", n.Name)
		}
		fmt.Fprintln(&b, st.in, st.zeros, st.norm != nil, st.inPlace, st.rule)
	}
	return b.String()
}
