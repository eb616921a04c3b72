package models

import (
	"fmt"

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

// Open is [Load] also for a safetensors file of another program that has the tensors of
// one of the models under their PyTorch names, pruned to any widths or not: see [Infer].
// Meta has no provenance then, and says what was assumed. The caller frees the network.
func Open(path string, o OpenOptions) (*Network, Meta, error) {
	tensors, metadata, err := torch.LoadSafetensors(path)
	if err != nil {
		return nil, Meta{}, err
	}
	defer torch.FreeAll(tensors)
	if _, own := metadata[metadataKey]; own {
		n, m, err := load(path, tensors, metadata, o.Device)
		if err == nil && o.Model != "" && o.Model != m.Arch.Model {
			n.Free()
			return nil, Meta{}, fmt.Errorf("%s holds the network %s, not %s", path, m.Arch.Model, o.Model)
		}
		return n, m, err
	}
	shapes := Shapes{}
	for name, t := range tensors {
		shapes[name] = t.Shape()
	}
	arch, assumed, err := Infer(shapes, o.Model, o.Input)
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s, which another program wrote: %w", path, err)
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
