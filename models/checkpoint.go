package models

import (
	"encoding/json"
	"fmt"

	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/torch"
)

// The checkpoint format is raised when older programs would misread newer
// files. Format 2 has masks; in format 3 networks are operations of libtorch, not layers; format 4
// has networks that PyTorch exported.
const (
	oldestFormat   = 1
	nodesFormat    = 3
	exportedFormat = 4
)

// metadataKey is where a checkpoint describes itself in the safetensors metadata.
const metadataKey = "eegprune"

// Meta is the description of a checkpoint that stands beside its tensors.
type Meta struct {
	Format int   `json:"format"`
	Arch   *Arch `json:"arch"`
	Masks  Masks `json:"masks,omitempty"`
	// Provenance is the writing program's record of data, training and results.
	Provenance json.RawMessage `json:"provenance,omitempty"`
	// Assumed lists the assumptions of [Open] about a file of another program.
	Assumed []string `json:"-"`
	// Notes list the parts of such a file that [Open] left out.
	Notes note.List `json:"-"`
}

// Save writes the network to one safetensors file that describes itself: the tensors
// under PyTorch's names, the architecture with its widths and kept channels, the
// masks, and provenance, which is stored as JSON. The file appears whole or not at all.
func (n *Network) Save(path string, provenance any) error {
	metadata, err := n.Describe(provenance)
	if err != nil {
		return fmt.Errorf("writing %s: describing the network: %w", path, err)
	}
	return torch.SaveSafetensors(path, n.State(), metadata)
}

// SavePT is Save to a file of torch.save, which torch.load reads as a plain state dict:
// the description lies beside the tensors.
func (n *Network) SavePT(path string, provenance any) error {
	metadata, err := n.Describe(provenance)
	if err != nil {
		return fmt.Errorf("writing %s: describing the network: %w", path, err)
	}
	return torch.SavePT(path, n.State(), metadata)
}

// Describe returns the text metadata of a checkpoint: its [Meta], with provenance as JSON.
func (n *Network) Describe(provenance any) (map[string]string, error) {
	p, err := json.Marshal(provenance)
	if err != nil {
		return nil, err
	}
	meta, err := json.Marshal(Meta{Format: n.format(), Arch: n.Arch, Masks: n.masks, Provenance: p})
	if err != nil {
		return nil, err
	}
	return map[string]string{metadataKey: string(meta)}, nil
}

// format is the oldest checkpoint format that has all of the network.
func (n *Network) format() int {
	if n.Arch.Exported != nil {
		return exportedFormat
	}
	return nodesFormat
}

// ReadMeta reads the metadata of a checkpoint. It needs no libtorch.
func ReadMeta(path string) (Meta, error) {
	if IsExported(path) {
		return ReadExportedMeta(path)
	}
	f, err := torch.ReadStateFile(path)
	if err != nil {
		return Meta{}, err
	}
	return parseMeta(path, f.Metadata)
}

func parseMeta(path string, metadata map[string]string) (Meta, error) {
	text, ok := metadata[metadataKey]
	if !ok {
		return Meta{}, fmt.Errorf("%s does not say what network it holds: it was not written by eegprune", path)
	}
	var m Meta
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return Meta{}, fmt.Errorf("%s: its description is damaged: %w", path, err)
	}
	if m.Format < oldestFormat || m.Format > exportedFormat {
		return Meta{}, fmt.Errorf("%s has checkpoint format %d, this version of eegprune reads formats up to %d: use the version that wrote it", path, m.Format, exportedFormat)
	}
	if m.Arch == nil {
		return Meta{}, fmt.Errorf("%s: its description lacks the architecture", path)
	}
	if err := m.Arch.Check(); err != nil {
		return Meta{}, fmt.Errorf("%s: its architecture is damaged: %w", path, err)
	}
	if err := m.Arch.Regroup(); err != nil {
		return Meta{}, fmt.Errorf("%s: its architecture is damaged: %w", path, err)
	}
	return m, nil
}

// Load reads a network that Save or SavePT wrote. The caller frees it.
func Load(path string, device torch.Device) (*Network, Meta, error) {
	f, err := torch.ReadStateFile(path)
	if err != nil {
		return nil, Meta{}, err
	}
	return load(path, f, device)
}

func load(path string, f *torch.StateFile, device torch.Device) (*Network, Meta, error) {
	m, err := parseMeta(path, f.Metadata)
	if err != nil {
		return nil, Meta{}, err
	}
	// Before memory is asked for: a damaged description may name any widths.
	c, err := m.Arch.Count()
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	have := int64(0)
	for _, t := range f.Dicts[0].Tensors {
		have += int64(t.Len())
	}
	if c.Parameters > have {
		return nil, Meta{}, fmt.Errorf("%s: its description needs %d parameters, its tensors have %d elements: they are of another network", path, c.Parameters, have)
	}
	tensors, err := f.Tensors()
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	defer torch.FreeAll(tensors)
	m.Arch.remember(f.Dicts[0].Tensors)
	n, err := New(m.Arch, device, nil)
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	if err = torch.LoadState(n.State(), tensors); err == nil {
		err = n.SetMasks(m.Masks)
	}
	if err != nil {
		n.Free()
		return nil, Meta{}, fmt.Errorf("%s: %w", path, err)
	}
	return n, m, nil
}
