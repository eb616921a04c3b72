package models

import (
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"eegprune/models/op"
	"eegprune/models/pt2"
	"eegprune/torch"
	"eegprune/torch/ptfile"
)

// Exported is what is said of a network that PyTorch exported.
type Exported struct {
	Torch string `json:"torch"` // the version of PyTorch
	// MinClips and MaxClips are how many clips its graph was exported for.
	MinClips int `json:"min_clips"`
	MaxClips int `json:"max_clips"`
	// Input is the shape of what the graph takes, the clips first: of signals often [clips,
	// electrodes, samples].
	Input []int `json:"input"`
	// Trained says why the file's weights look trained, "" where they do not.
	Trained string `json:"trained,omitempty"`
	// Frozen are parameters that are not trained, Lifted numbers of the graph.
	Frozen []string `json:"frozen,omitempty"`
	Lifted []string `json:"lifted,omitempty"`
	// Aliases are other names of tensors, by those names.
	Aliases map[string]string `json:"aliases,omitempty"`
}

// ClipNode is the node that gives the graph of a network a clip in the dimensions that it takes.
const ClipNode = "eegprune_clips"

// IsExported reports whether a file is an archive of torch.export.
func IsExported(path string) bool { return pt2.Is(path) }

// OpenExported reads a network that PyTorch exported: see [pt2.Read]. The caller frees it.
func OpenExported(path string, device torch.Device) (*Network, Meta, error) {
	p, err := pt2.Read(path)
	if err != nil {
		return nil, Meta{}, err
	}
	a, about, err := archOf(NameOf(path), p)
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	n, err := New(a, device, nil)
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	if err = n.fill(arraysOf(p)); err == nil {
		err = n.SetMasks(about.Masks)
	}
	if err != nil {
		n.Free()
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	return n, about.meta(n.Arch), nil
}

// meta is what an archive says of itself.
func (e extra) meta(a *Arch) Meta {
	m := Meta{Format: exportedFormat, Arch: a, Masks: e.Masks}
	if len(e.Provenance) > 0 && string(e.Provenance) != "null" {
		m.Provenance = e.Provenance
	}
	return m
}

// ReadExportedMeta reads what an archive of torch.export says of itself. It needs no libtorch.
func ReadExportedMeta(path string) (Meta, error) {
	p, err := pt2.Read(path)
	if err != nil {
		return Meta{}, err
	}
	a, about, err := archOf(NameOf(path), p)
	if err != nil {
		return Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	return about.meta(a), nil
}

// A Start is what the weights of an exported network are at the start of a training.
type Start string

// The starts.
const (
	AsDrawn    Start = "drawn"   // anew, distributed as those of the file
	AsInFile   Start = "file"    // those of the file
	AsDefaults Start = "default" // anew, as PyTorch's layers draw them
)

// Starts are their names.
func Starts() []string { return []string{string(AsDrawn), string(AsInFile), string(AsDefaults)} }

// ReadExported reads the architecture of a network that PyTorch exported, of which networks are made
// with such weights; "" is [AsDrawn], which is refused where the file's look trained. It needs no
// libtorch.
func ReadExported(path string, start Start) (*Arch, error) {
	p, err := pt2.Read(path)
	if err != nil {
		return nil, err
	}
	a, _, err := archOf(NameOf(path), p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	switch start {
	case AsInFile:
		for _, t := range p.Tensors {
			if a.Tensor(t.Name) != nil {
				a.values[t.Name] = t.Data
			}
		}
	case AsDefaults:
		for i := range a.Tensors {
			if t := &a.Tensors[i]; t.Init != nil && t.Init.FanIn > 0 {
				t.Init = &op.Init{Kind: op.Default, FanIn: t.Init.FanIn}
			}
		}
	case "", AsDrawn:
		if start == "" && a.Exported.Trained != "" {
			return nil, fmt.Errorf("%s was trained (%s), so that its weights do not say how fresh ones are drawn: choose --init %s to start from them, %s for PyTorch's own, or %s for numbers distributed as they are now",
				path, a.Exported.Trained, AsInFile, AsDefaults, AsDrawn)
		}
	default:
		return nil, fmt.Errorf("unknown start %q of weights: use one of %s", start, strings.Join(Starts(), ", "))
	}
	return a, nil
}

// NameOf is what a network of a file is called.
func NameOf(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// archOf makes an architecture of an archive's graph.
func archOf(name string, p *pt2.Program) (*Arch, extra, error) {
	shape := p.Input.Shape
	if p.Input.Type != "" || len(shape) < 3 || len(shape) > 4 || slices.Min(shape[1:]) < 1 {
		return nil, extra{}, fmt.Errorf("it takes %s of shape %v: networks of clips take float32 [clips, electrodes, samples], [clips, 1, electrodes, samples] or [clips, bands, height, width]",
			typeOf(p.Input.Type), shape)
	}
	a := &Arch{Model: name, Output: p.Output, Exported: &Exported{Torch: p.Torch, MinClips: p.MinClips, MaxClips: p.MaxClips, Input: shape, Aliases: map[string]string{}}}
	a.Input = [3]int{1, shape[len(shape)-2], shape[len(shape)-1]}
	if len(shape) == 4 {
		a.Input[0] = shape[1]
	}
	for _, t := range p.Tensors {
		if t.Same != "" {
			a.Exported.Aliases[t.Name] = t.Same
			continue
		}
		own := t.Tensor
		own.Buffer = own.Buffer || t.Frozen
		if t.Frozen {
			a.Exported.Frozen = append(a.Exported.Frozen, t.Name)
		}
		if t.Lifted {
			a.Exported.Lifted = append(a.Exported.Lifted, t.Name)
		}
		a.Tensors = append(a.Tensors, own)
	}
	input := op.Ref(op.Input)
	if len(shape) == 3 {
		a.Nodes = append(a.Nodes, op.Node{Name: ClipNode, Op: op.Flatten, Args: op.Args{"self": op.Ref(op.Input), "start_dim": 1, "end_dim": 2},
			Gives: []op.Value{{Name: ClipNode, Shape: slices.Clone(shape)}}})
		input = ClipNode
	}
	for _, n := range p.Nodes {
		if n.Op == "aten._has_compatible_shallow_copy_type.default" { // asks, for an assignment to .data, and changes nothing
			continue
		}
		n = n.Clone()
		if len(n.Gives) == 1 && n.Gives[0].Name != "" {
			n.Name = n.Gives[0].Name
		}
		if input != op.Input {
			renamed(&n, op.Input, input)
		}
		for i := range n.Gives {
			if n.Gives[i].Name == p.Output && len(n.Gives[i].Shape) == 2 {
				a.Classes = n.Gives[i].Shape[1]
			}
		}
		a.Nodes = append(a.Nodes, n)
	}
	if a.Classes < 2 {
		return nil, extra{}, fmt.Errorf("it does not give logits [clips, classes] of two classes or more: let the module return them alone")
	}
	if err := a.Check(); err != nil {
		return nil, extra{}, err
	}
	if err := a.Regroup(); err != nil {
		return nil, extra{}, err
	}
	a.findDistributions(p.Tensors)
	about, err := a.learn(p.Extra[extraName])
	return a, about, err
}

func typeOf(t op.Choice) string {
	if t == "" {
		return "float32"
	}
	return string(t)
}

// renamed has a node take another value instead of one.
func renamed(n *op.Node, from, to op.Ref) {
	for arg, v := range n.Args {
		switch v := v.(type) {
		case op.Ref:
			if v == from {
				n.Args[arg] = to
			}
		case []op.Ref:
			for i := range v {
				if v[i] == from {
					v[i] = to
				}
			}
		}
	}
}

// findDistributions notes how the file's weights look drawn, and whether they were trained since.
// What is not trained has the file's numbers in every network of the graph.
func (a *Arch) findDistributions(tensors []pt2.Tensor) {
	a.values = map[string]ptfile.Array{}
	for _, t := range tensors {
		own := a.Tensor(t.Name)
		if own == nil {
			continue
		}
		v, numbers := floats(t.Data)
		if own.Buffer {
			a.values[t.Name] = t.Data
			role := a.trace.Role(t.Name, 0)
			variance := strings.HasSuffix(t.Name, "running_var")
			if numbers && role == op.Statistic && slices.ContainsFunc(v, func(x float64) bool { return x != 0 && !variance || x != 1 && variance }) {
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
		mean, std := moments(v)
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

func moments(v []float64) (mean, std float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		std += (x - mean) * (x - mean) / float64(len(v))
	}
	return mean, math.Sqrt(std)
}

// floats are the numbers of an array of float32 or float64.
func floats(a ptfile.Array) ([]float64, bool) {
	v := make([]float64, a.Len())
	for i := range v {
		switch a.Type {
		case ptfile.Float32:
			v[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(a.Data[4*i:])))
		case ptfile.Float64:
			v[i] = math.Float64frombits(binary.LittleEndian.Uint64(a.Data[8*i:]))
		default:
			return nil, false
		}
	}
	return v, len(v) > 0
}

// begin gives a tensor of an exported network what it begins with: the file's own numbers where it
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

// remember keeps what the graph holds and is not trained, of a checkpoint's tensors.
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

// rowsOf is what is left of an array: of each dimension the indices, nil for all.
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

// Fits says why a network does not take clips of a shape [channels, height, width] that are of so
// many classes.
func (a *Arch) Fits(shape []int, classes int) error {
	switch {
	case !slices.Equal(shape, a.Input[:]):
		return fmt.Errorf("the network %s takes clips of shape %v, and these have %v: export it for them", a.Model, a.Input, shape)
	case classes != a.Classes:
		return fmt.Errorf("the network %s tells %d classes apart, and the clips are of %d: export it for them", a.Model, a.Classes, classes)
	}
	return nil
}
