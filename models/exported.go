package models

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/internal/spelling"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/models/pt2"
	"github.com/eegprune/eegprune/torch"
)

// Exported describes a network that PyTorch exported.
type Exported struct {
	Torch string `json:"torch"` // the version of PyTorch
	// MinClips and MaxClips are the least and greatest batch that its graph was exported for.
	MinClips int `json:"min_clips"`
	MaxClips int `json:"max_clips"`
	// Input is the shape of the graph's input, the clips first: of signals often [clips,
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

// ClipNode is the node that reshapes a clip to the dimensions of the graph's input.
const ClipNode = "eegprune_clips"

// IsExported reports whether a file is an archive of torch.export.
func IsExported(path string) bool { return pt2.Is(path) }

// OpenExported reads a network that PyTorch exported: see [pt2.Read]. The caller frees it.
func OpenExported(path string, device torch.Device) (*Network, Meta, error) {
	return openExported(path, OpenOptions{Device: device})
}

func openExported(path string, o OpenOptions) (*Network, Meta, error) {
	p, err := pt2.Read(path)
	if err != nil {
		return nil, Meta{}, err
	}
	a, about, err := archOf(NameOf(path), p)
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	n, err := New(a, o.Device, nil)
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	mixes := false
	if err = n.fill(arraysOf(p), o); err == nil {
		err = n.SetMasks(about.Masks)
	}
	if err == nil {
		mixes, err = n.MixesClips()
	}
	if err != nil {
		n.Free()
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	m := about.meta(n.Arch)
	if mixes {
		m.Notes.Add(path, note.New(note.About, Mixing))
	}
	return n, m, nil
}

// meta returns an archive's metadata.
func (e extra) meta(a *Arch) Meta {
	m := Meta{Format: exportedFormat, Arch: a, Masks: e.Masks}
	if len(e.Provenance) > 0 && string(e.Provenance) != "null" {
		m.Provenance = e.Provenance
	}
	return m
}

// ReadExportedMeta reads the metadata of an archive of torch.export. It needs no libtorch.
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

// A Start says which weights an exported network has at the start of a training.
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
		return nil, spelling.Unknown("start of weights", string(start), Starts())
	}
	return a, nil
}

// NameOf returns the name of the network of a file: that of the file without its ending.
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
	a.Nodes = withoutUnused(a.Nodes, p.Output)
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

// withoutUnused leaves out nodes whose output nothing takes, such as the mean over heads of
// attention's weights, which would keep heads from being pruned. A node with tensors of its own stays.
func withoutUnused(nodes []op.Node, output string) []op.Node {
	given := map[string]bool{op.Input: true}
	for i := range nodes {
		for _, v := range nodes[i].Values() {
			given[v] = true
		}
	}
	used := map[string]bool{output: true}
	var kept []op.Node
	for _, n := range slices.Backward(nodes) {
		own := slices.ContainsFunc(n.Inputs(), func(in string) bool { return !given[in] })
		if n.Pure() && !own && len(n.Gives) == 1 && !used[n.Gives[0].Name] {
			continue
		}
		for _, in := range n.Inputs() {
			used[in] = true
		}
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	return kept
}

// renamed replaces an input of a node by another value.
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
