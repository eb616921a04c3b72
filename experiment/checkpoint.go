package experiment

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// Provenance is a checkpoint's record of its origin.
type Provenance struct {
	Version string      `json:"version"`
	Key     string      `json:"key,omitempty"` // of the study's cell; empty for files made one by one
	Cell    result.Cell `json:"cell"`
	Config  Config      `json:"config"`
	Classes []string    `json:"classes"`
	// Channels are the electrodes of the features; empty in files of earlier versions.
	Channels []string `json:"channels,omitempty"`
	// Recorded are the channels that the recordings were read with, where features were made of
	// preprocessed ones: it is those that the preprocessing takes.
	Recorded []string     `json:"recorded,omitempty"`
	Data     string       `json:"data"` // fingerprint of the feature set
	Test     result.Score `json:"test"`
	// Notes tell what was left out, rounded or assumed of another program's file that the network
	// comes from.
	Notes note.List `json:"notes,omitempty"`
}

// Provenance describes a network of the study.
func (s *Study) Provenance(c result.Cell, version string, test result.Score) Provenance {
	return Provenance{Version: version, Cell: c, Config: s.Config, Classes: s.Set.Classes, Channels: s.Set.Channels, Recorded: s.Set.Recorded, Data: s.fingerprint, Test: test}
}

// Foreign is the provenance assumed of a network that another program trained: the settings that
// a study would have by default.
func Foreign(model string) Provenance {
	t := train.Paper(model)
	c := Config{Model: model, Seed: 1, Split: Split{Shuffle: true, Seed: 1, Val: 0.2}, Train: t, FineTune: t}
	return Provenance{Config: c, Cell: result.Cell{Variant: result.Variant{Model: model, Stage: result.Unpruned}}}
}

// SameData reports whether provenance speaks of the features that the study has.
func (s *Study) SameData(p Provenance) bool { return p.Data == s.fingerprint }

// ReadProvenance reads the provenance in a checkpoint.
func ReadProvenance(path string, m models.Meta) (Provenance, error) {
	var p Provenance
	if err := json.Unmarshal(m.Provenance, &p); err != nil {
		return p, fmt.Errorf("%s: its record of the training is damaged: %w", path, err)
	}
	// Before there were metrics, the name was that of another split.
	if p.Config.Metric == "" && p.Config.Split.Name == "KFoldCrossTrial" {
		p.Config.Split.Name = "KFoldByTrial"
	}
	return p, nil
}

// A Checkpoint is a network in a file, with the file's record of its training. Its owner closes
// it.
type Checkpoint struct {
	Path    string
	Network *models.Network
	Provenance
	// Of a file that another program wrote, Assumed names the assumptions about its network and
	// FileNotes the parts of the file that were left out; Provenance is then that of [Foreign].
	Assumed   []string
	FileNotes note.List
}

// OpenCheckpoint opens a checkpoint, of another program too; see [models.Open].
func OpenCheckpoint(path string, o models.OpenOptions) (*Checkpoint, error) {
	n, m, err := models.Open(path, o)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{Path: path, Network: n, Assumed: m.Assumed, FileNotes: m.Notes}
	if m.Provenance == nil {
		c.Provenance = Foreign(n.Arch.Model)
		c.Provenance.Notes = m.Notes
		return c, nil
	}
	if c.Provenance, err = ReadProvenance(path, m); err != nil {
		n.Free()
		return nil, err
	}
	return c, nil
}

// Close frees the network.
func (c *Checkpoint) Close() { c.Network.Free() }

// OpenStudy opens the study that the network comes from, not divided yet, with the settings of
// config, which are c.Config's but for the changes. Where others is false, the recordings must
// still be those that the network was trained on.
func (c *Checkpoint) OpenStudy(ctx context.Context, config Config, others bool, o OpenOptions) (*Study, error) {
	s, err := Open(ctx, config, o)
	if err != nil {
		return nil, err
	}
	if !others && !s.SameData(c.Provenance) {
		s.Close()
		return nil, fmt.Errorf("the recordings in %s are no longer those that %s was trained on: name the right ones with --data", config.Data.Dir, c.Path)
	}
	return s, nil
}

// Divide divides the study that the network comes from, and returns the fold, of Folds from 1,
// on which it was trained.
func (c *Checkpoint) Divide(s *Study) (fold int, err error) {
	if err := s.Divide(); err != nil {
		return 0, err
	}
	if fold, err = c.fold(s); err != nil {
		return 0, err
	}
	return fold, s.Fits(c.Network)
}

// fold is the one on which the network was trained, of a divided study's from 1.
func (c *Checkpoint) fold(s *Study) (int, error) {
	fold := s.At(c.Cell)
	switch {
	case fold < 1:
		return 0, fmt.Errorf("%s does not say which fold it was trained on, so that its training clips are not known", c.Path)
	case fold > len(s.Folds):
		return 0, fmt.Errorf("%s was trained on fold %d, and the recordings in %s give %d folds: name the right ones with --data", c.Path, fold, s.Config.Data.Dir, len(s.Folds))
	}
	return fold, nil
}

// Prune removes, or masks, the method's choice, with these options instead of Config's. s is the
// network's study, divided; it may be nil for a method that looks at no clips.
func (c *Checkpoint) Prune(s *Study, p Pruning, o prune.Options) (Made, error) {
	var made Made
	var err error
	if s == nil {
		made, err = Prune(c.Network, p, o, prune.Evidence{Seed: c.Config.Seed})
	} else {
		made, err = Prune(c.Network, p, o, s.evidence(c.Network, s.At(c.Cell)))
	}
	if err != nil {
		return Made{}, fmt.Errorf("%s: %w", c.Path, err)
	}
	return made, nil
}

// Pruned is the provenance of a network that was pruned from one of this provenance.
func (p Provenance) Pruned(by Pruning, o prune.Options, version string) Provenance {
	p.Key, p.Version, p.Test = "", version, result.Score{}
	p.Config.Prune, p.Config.Options = []Pruning{by}, o
	p.Cell.Stage, p.Cell.Method, p.Cell.Ratio = result.Pruned, by.Method, by.Ratio
	return p
}
