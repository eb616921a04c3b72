package models

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"eegprune/torch"
)

// OpenOptions say how to take a file whose writer did not say what it holds.
type OpenOptions struct {
	Device torch.Device
	Model  string // empty for the one whose tensors have the file's names
	// Input is what is known of a clip [channels, height, width], 0 where nothing is, for
	// what the tensors leave open.
	Input [3]int
}

// Open is [Load] also for a file of another program, safetensors or of torch.save, that
// has the tensors of one of the models under their PyTorch names, pruned to any widths or
// not: see [Infer]. A prefix of all of the network's names, such as the "model." of a
// Lightning checkpoint, is taken off. Meta has no provenance then, and says what was
// assumed. The caller frees the network.
func Open(path string, o OpenOptions) (*Network, Meta, error) {
	f, err := torch.ReadStateFile(path)
	if err != nil {
		return nil, Meta{}, err
	}
	defer f.Free()
	if _, own := f.Metadata[metadataKey]; own {
		n, m, err := load(path, f.Tensors, f.Metadata, o.Device)
		if err == nil && o.Model != "" && o.Model != m.Arch.Model {
			n.Free()
			return nil, Meta{}, fmt.Errorf("%s holds the network %s, not %s", path, m.Arch.Model, o.Model)
		}
		return n, m, err
	}
	shapes := Shapes{}
	for name, t := range f.Tensors {
		shapes[name] = t.Shape()
	}
	shapes, original := shapes.withoutPrefix()
	tensors := map[string]*torch.Tensor{}
	for name := range shapes {
		tensors[name] = f.Tensors[original[name]]
	}
	arch, assumed, err := Infer(shapes, o.Model, o.Input)
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s, which another program wrote: %w", path, err)
	}
	if len(f.LeftOut) > 0 {
		assumed = append(assumed, "its tensors alone, without its "+strings.Join(f.LeftOut, ", "))
	}
	n, err := New(arch, o.Device, nil)
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := n.fill(tensors); err != nil {
		n.Free()
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	return n, Meta{Format: plainFormat, Arch: n.Arch, Assumed: assumed}, nil
}

// withoutPrefix takes the prefix off the names that makes the most of them those of a
// model, and returns the names that there were by the new ones.
func (t Shapes) withoutPrefix() (Shapes, map[string]string) {
	known := map[string]bool{}
	for _, m := range All() {
		for _, w := range m.nominal().tensors() {
			known[w.name] = true
		}
	}
	hits := map[string]int{}
	for name := range t {
		for at := 0; ; {
			if known[name[at:]] {
				hits[name[:at]]++
			}
			dot := strings.IndexByte(name[at:], '.')
			if dot < 0 {
				break
			}
			at += dot + 1
		}
	}
	prefix := ""
	for _, p := range slices.Sorted(maps.Keys(hits)) {
		if hits[p] > hits[prefix] {
			prefix = p
		}
	}
	shapes, original := Shapes{}, map[string]string{}
	for name, shape := range t {
		short := strings.TrimPrefix(name, prefix)
		if _, taken := t[short]; taken {
			short = name
		}
		shapes[short], original[short] = shape, name
	}
	return shapes, original
}

// fill loads the tensors of another program.
func (n *Network) fill(tensors map[string]*torch.Tensor) error {
	var state []torch.Named
	for _, p := range n.State() {
		// Only a count of batches may be missing.
		if tensors[p.Name] != nil {
			state = append(state, p)
		}
	}
	if err := torch.LoadState(state, tensors); err != nil {
		return err
	}
	// PyTorch's classes bound norms when they compute, so a file may hold larger ones.
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	n.Constrain(s)
	return s.Err()
}
