package models

import (
	"fmt"
	"strings"

	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/torch/ptfile"
)

// OpenOptions describe a file that does not describe itself.
type OpenOptions struct {
	Device torch.Device
	Model  string // empty for the one whose tensors have the file's names
	// Weights is the key of the network's tensors, or their names' prefix, where the file
	// has several networks: "ema", "state_dict.student". "." is the file itself.
	Weights string
	// Input is the shape of a clip [channels, height, width], 0 where it is not known, for
	// sizes that the tensors leave open.
	Input [3]int
	// Unbound leaves weights as the file has them, also where their norms are above the bound that
	// the network applies when it computes: pruning shortens rows, so that fewer are too long then.
	Unbound bool
}

// Open is [Load] also for a file of another program, safetensors or of torch.save, that
// has the tensors of one of the models under their PyTorch names, pruned to any widths or
// not: see [Infer]. They may lie at any key of a checkpoint and have a prefix, such as the
// "model." of Lightning; names that wrappers add are taken off, and the tensors that normalization and
// pruning of PyTorch keep in place of a weight are read as that weight (see [ptfile.Effective]).
// Meta has no provenance then; it lists the assumptions and, by name, the tensors left out. The
// caller frees the network.
func Open(path string, o OpenOptions) (*Network, Meta, error) {
	if IsExported(path) {
		return openExported(path, o)
	}
	f, err := torch.ReadStateFile(path)
	if err != nil {
		return nil, Meta{}, err
	}
	if _, own := f.Metadata[metadataKey]; own && o.Weights == "" {
		n, m, err := load(path, f, o.Device)
		if err == nil && o.Model != "" && o.Model != m.Arch.Model {
			n.Free()
			return nil, Meta{}, fmt.Errorf("%s holds the network %s, not %s", path, m.Arch.Model, o.Model)
		}
		return n, m, err
	}
	c, err := choose(f, o)
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s, which another program wrote: %w", path, err)
	}
	n, err := New(c.arch, o.Device, nil)
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := n.fill(c.tensors, o); err != nil {
		n.Free()
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	m := Meta{Format: nodesFormat, Arch: n.Arch, Assumed: c.assumed}
	m.Notes.Add(path, c.notes(f)...)
	return n, m, nil
}

// fill loads the tensors of another program.
func (n *Network) fill(arrays map[string]ptfile.Array, o OpenOptions) error {
	tensors := map[string]*torch.Tensor{}
	defer torch.FreeAll(tensors)
	var state []torch.Named
	for _, p := range n.State() {
		a, ok := arrays[p.Name]
		if !ok { // only a count of batches may be missing
			continue
		}
		t, err := torch.TensorOf(a)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", p.Name, err)
		}
		tensors[p.Name] = t
		state = append(state, p)
	}
	if err := torch.LoadState(state, tensors); err != nil {
		return err
	}
	if o.Unbound {
		return nil
	}
	// PyTorch's classes bound norms when they compute, so a file may hold larger ones.
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	n.Constrain(s)
	return s.Err()
}

// notes list the tensors of the file that the network leaves out or does not hold unchanged.
func (c *candidate) notes(f *torch.StateFile) []note.Note {
	var notes []note.Note
	say := func(kind note.Kind, format string, names []string) {
		if len(names) > 0 {
			notes = append(notes, note.New(kind, format, strings.Join(names, ", ")))
		}
	}
	say(note.LeftOut, "What lies beside the network's tensors is left out: %s.", c.dict.Beside())
	var others []string
	for _, o := range c.dict.Others {
		others = append(others, fmt.Sprintf("%s (%s)", o.Name, o.What))
	}
	say(note.LeftOut, "Values that are no tensors are left out: %s.", others)
	say(note.LeftOut, "Tensors that are not part of the network are left out: %s.", grouped(c.extra))
	say(note.LeftOut, "Objects of classes that only the file's writer knows are passed over, nothing of them is executed: %s.", f.Skipped)
	say(note.About, "Weights are computed from what the file keeps in their place: %s.", c.made)
	var wide, whole []string
	for name, a := range c.tensors {
		switch {
		case a.Type == ptfile.Float64:
			wide = append(wide, name)
		case a.Type != ptfile.Float32 && !strings.HasSuffix(name, count):
			whole = append(whole, name)
		}
	}
	say(note.About, "Numbers of 64 bits are rounded to 32 bits: %s.", grouped(wide))
	say(note.Assumed, "Whole numbers are taken as they are, though quantized weights need a scale: %s.", grouped(whole))
	return notes
}
