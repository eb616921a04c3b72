package models

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/models/pt2"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/torch/ptfile"
)

// extraName is the file beside the graph in which an archive keeps this program's own data on its network.
const extraName = "eegprune.json"

// extra is the content of that file. A network's exporter may have written the norms alone.
type extra struct {
	// MaxNorm holds the largest norms that rows of weights may have, by the weights' names.
	MaxNorm    map[string]maxNorm `json:"max_norm,omitempty"`
	Removed    []Removal          `json:"removed,omitempty"`
	Kept       map[string][]int   `json:"kept,omitempty"` // by groups
	Masks      Masks              `json:"masks,omitempty"`
	Provenance json.RawMessage    `json:"provenance,omitempty"`
}

type maxNorm struct {
	Norm float64 `json:"norm"`
	P    any     `json:"p"`
	Dim  int     `json:"dim"`
}

// SaveAs is [Network.Save] to a file of the kind that the path's ending says: .pt2 is an archive of
// torch.export, .pt and .pth a file of torch.save, and all others are safetensors.
func (n *Network) SaveAs(path string, provenance any) error {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".pt2":
		return n.SaveExported(path, provenance)
	case ".pt", ".pth":
		return n.SavePT(path, provenance)
	}
	return n.Save(path, provenance)
}

// SaveExported writes the network as torch.export.save does, to be loaded, run and trained by
// PyTorch, with the metadata of [Network.Save] in a file beside the graph. The file appears whole or
// not at all.
func (n *Network) SaveExported(path string, provenance any) error {
	p, err := n.archived(provenance)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return pt2.Write(path, p)
}

func (n *Network) archived(provenance any) (*pt2.Program, error) {
	a := n.Arch
	text, err := json.Marshal(provenance)
	if err != nil {
		return nil, err
	}
	about := extra{MaxNorm: map[string]maxNorm{}, Removed: a.Removed, Kept: map[string][]int{}, Masks: n.masks, Provenance: text}
	for _, g := range a.Groups {
		if g.Kept != nil {
			about.Kept[g.Name] = g.Kept
		}
	}
	e := a.Exported
	if e == nil {
		e = &Exported{MinClips: 2, MaxClips: pt2.Unbounded, Input: []int{op.Batch, a.Input[0], a.Input[1], a.Input[2]}}
	}
	p := &pt2.Program{Input: op.Value{Name: op.Input, Shape: e.Input}, Output: a.Logits(), Torch: e.Torch, MinClips: e.MinClips, MaxClips: e.MaxClips, Extra: map[string]string{}}
	for _, t := range a.Tensors {
		if t.MaxNorm > 0 {
			about.MaxNorm[t.Name] = maxNorm{Norm: t.MaxNorm, P: 2.0}
		}
		data, known := a.values[t.Name] // whole numbers of any type: no training changes them
		if t.Type == "" || t.Type == "float64" || t.Type == "bool" || !known {
			if data, err = torch.ArrayOf(n.tensors[t.Name]); err != nil {
				return nil, fmt.Errorf("tensor %s: %w", t.Name, err)
			}
		}
		own := pt2.Tensor{Tensor: t, Data: data, Frozen: slices.Contains(e.Frozen, t.Name), Lifted: slices.Contains(e.Lifted, t.Name)}
		p.Tensors = append(p.Tensors, own)
	}
	for _, alias := range slices.Sorted(maps.Keys(e.Aliases)) {
		i := slices.IndexFunc(p.Tensors, func(t pt2.Tensor) bool { return t.Name == e.Aliases[alias] })
		if i < 0 {
			return nil, fmt.Errorf("tensor %s is another name of %s, which is not there", alias, e.Aliases[alias])
		}
		t := p.Tensors[i]
		t.Name, t.Same = alias, e.Aliases[alias]
		p.Tensors = append(p.Tensors, t)
	}
	err = a.Walk(func(c *op.Call) {
		node := c.Node.Clone()
		if node.Name == ClipNode {
			return
		}
		renamed(&node, ClipNode, op.Input)
		if node.Gives == nil {
			p.Nodes = append(p.Nodes, countOf(&node)...)
			node.Gives = []op.Value{{Name: node.Name, Shape: slices.Clone(c.Out)}}
		}
		p.Nodes = append(p.Nodes, node)
	})
	if err != nil {
		return nil, err
	}
	if text, err = json.Marshal(about); err != nil {
		return nil, err
	}
	p.Extra[extraName] = string(text)
	return p, nil
}

// countOf takes the count of batches from a BatchNorm of this program's networks, which torch.export
// has as an operation of its own.
func countOf(n *op.Node) []op.Node {
	count, ok := n.Args["num_batches_tracked"]
	if !ok {
		return nil
	}
	delete(n.Args, "num_batches_tracked")
	return []op.Node{{Name: n.Name + "_count", Op: "aten.add_.Tensor", Args: op.Args{"self": count, "other": 1},
		Gives: []op.Value{{Name: n.Name + "_count", Shape: []int{}, Type: "int64"}}}}
}

// learn reads an archive's file beside the graph into the architecture.
func (a *Arch) learn(text string) (extra, error) {
	var about extra
	if text == "" {
		return about, nil
	}
	if err := json.Unmarshal([]byte(text), &about); err != nil {
		return about, fmt.Errorf("its %s is damaged: %w", extraName, err)
	}
	for _, name := range slices.Sorted(maps.Keys(about.MaxNorm)) {
		t, bound := a.Tensor(name), about.MaxNorm[name]
		if t == nil || t.Buffer || bound.P != 2.0 || bound.Dim != 0 || !(bound.Norm > 0) || len(t.Shape) < 2 {
			return about, fmt.Errorf("its %s bounds %s by the norm %v %g along dimension %d: Euclidean norms of the rows of weights can be held", extraName, name, bound.P, bound.Norm, bound.Dim)
		}
		t.MaxNorm = bound.Norm
	}
	for i := range about.Removed {
		r := &about.Removed[i]
		t := a.Tensor(r.Tensor)
		if t == nil || r.Dim < 0 || r.Dim >= len(t.Shape) || len(r.Kept) != t.Shape[r.Dim] || !rises(r.Kept) || len(r.Kept) > 0 && (r.Kept[0] < 0 || r.Kept[len(r.Kept)-1] >= r.Size) {
			return about, fmt.Errorf("its %s says what was removed of %s, which does not fit its tensors", extraName, r.Tensor)
		}
	}
	a.Removed = about.Removed
	for i := range a.Groups {
		if g := &a.Groups[i]; len(about.Kept[g.Name]) == g.Channels && rises(about.Kept[g.Name]) {
			g.Kept = about.Kept[g.Name]
		}
	}
	return about, nil
}

// arraysOf are an archive's tensors by name.
func arraysOf(p *pt2.Program) map[string]ptfile.Array {
	arrays := map[string]ptfile.Array{}
	for _, t := range p.Tensors {
		if t.Same == "" {
			arrays[t.Name] = t.Data
		}
	}
	return arrays
}
