package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"eegprune/models"
	"eegprune/prune"
	"eegprune/report"
	"eegprune/train"
)

// Provenance is what a checkpoint says of where it comes from.
type Provenance struct {
	Version string      `json:"version"`
	Key     string      `json:"key,omitempty"` // of the study's cell; empty for files made one by one
	Cell    report.Cell `json:"cell"`
	Config  Config      `json:"config"`
	Classes []string    `json:"classes"`
	// Channels are the electrodes of the features; empty in files of earlier versions.
	Channels []string     `json:"channels,omitempty"`
	Data     string       `json:"data"` // fingerprint of the feature set
	Test     report.Score `json:"test"`
}

// Fits returns an error if a network does not take the study's clips.
func (s *Study) Fits(n *models.Network) error {
	if have, want := n.Arch.Input, s.Set.Shape; !slices.Equal(have[:], want) || n.Arch.Classes != len(s.Set.Classes) {
		return fmt.Errorf("the network takes clips of shape %v in %d classes, the recordings give %v in %d: it was trained on other data",
			have, n.Arch.Classes, want, len(s.Set.Classes))
	}
	return nil
}

// Evaluate tests a network on a fold's test clips, or with fold 0 on all clips.
func (s *Study) Evaluate(ctx context.Context, n *models.Network, fold int) (report.Score, error) {
	if err := s.Fits(n); err != nil {
		return report.Score{}, err
	}
	rows := s.allRows()
	if fold != 0 {
		f, err := s.fold(fold)
		if err != nil {
			return report.Score{}, err
		}
		rows = f.Test
	}
	e, err := train.Evaluate(ctx, n, s.data, rows)
	return report.Score(e), err
}

// fold returns a fold by its number, from 1.
func (s *Study) fold(n int) (Fold, error) {
	if n < 1 || n > len(s.Folds) {
		return Fold{}, fmt.Errorf("there is no fold %d: these recordings and settings give %d folds", n, len(s.Folds))
	}
	return s.Folds[n-1], nil
}

func (s *Study) allRows() []int {
	rows := make([]int, s.Set.Len())
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// Provenance describes a network of the study.
func (s *Study) Provenance(c report.Cell, version string, test report.Score) Provenance {
	return Provenance{Version: version, Cell: c, Config: s.Config, Classes: s.Set.Classes, Channels: s.Set.Channels, Data: s.fingerprint, Test: test}
}

// Foreign is what is assumed of a network that another program trained: the settings that
// a study would have by default.
func Foreign(model string) Provenance {
	t := train.Paper(model)
	c := Config{Model: model, Seed: 1, Split: Split{Shuffle: true, Seed: 1, Val: 0.2}, Train: t, FineTune: t}
	return Provenance{Config: c, Cell: report.Cell{Variant: report.Variant{Model: model, Stage: report.Unpruned}}}
}

// SameData reports whether provenance speaks of the features that the study has.
func (s *Study) SameData(p Provenance) bool { return p.Data == s.fingerprint }

// ReadProvenance reads what a checkpoint says of where it comes from.
func ReadProvenance(path string, m models.Meta) (Provenance, error) {
	var p Provenance
	if err := json.Unmarshal(m.Provenance, &p); err != nil {
		return p, fmt.Errorf("%s: what it says of its training is damaged: %w", path, err)
	}
	// Before there were metrics, the name was that of another split.
	if p.Config.Metric == "" && p.Config.Split.Name == "KFoldCrossTrial" {
		p.Config.Split.Name = "KFoldByTrial"
	}
	return p, nil
}

// At returns which of Folds a cell is about, from 1.
func (s *Study) At(c report.Cell) int {
	if c.Inner == 0 {
		return c.Fold
	}
	return (c.Fold-1)*s.Config.Split.Inner + c.Inner
}

// cells lists what the study does of one of Folds, from 1, each cell after those that it starts from,
// none twice.
func (s *Study) cells(fold int) []report.Cell {
	cell := func(stage, method string, ratio float64) report.Cell {
		c := report.Cell{Variant: report.Variant{Model: s.Config.Model, Stage: stage, Method: method, Ratio: ratio}, Fold: fold}
		if len(s.Config.Seeds) > 1 {
			c.Seed = s.Config.Seed
		}
		if inner := s.Config.Split.Inner; inner > 0 {
			c.Fold, c.Inner = (fold-1)/inner+1, (fold-1)%inner+1
		}
		return c
	}
	cells := []report.Cell{cell(report.Unpruned, "", 0)}
	if len(s.Config.Prune) > 0 && slices.Contains(s.Config.Recover, report.FineTuned) {
		cells = append(cells, cell(report.TrainedOn, "", 0))
	}
	add := func(c report.Cell) {
		if !slices.Contains(cells, c) {
			cells = append(cells, c)
		}
	}
	for _, p := range s.Config.Prune {
		if prune.TrainingFor(p.Method) == prune.Sparse {
			add(cell(report.Sparse, p.Method, 0))
		}
		for _, stage := range append([]string{report.Pruned}, s.Config.Recover...) {
			add(cell(stage, p.Method, p.Ratio))
		}
	}
	return cells
}

// origins are the cells whose checkpoints a cell starts from.
func (s *Study) origins(c report.Cell) []report.Cell {
	from := func(stage string) report.Cell {
		o := c
		o.Stage = stage
		switch stage {
		case report.Unpruned:
			o.Method, o.Ratio = "", 0
		case report.Sparse:
			o.Ratio = 0
		}
		return o
	}
	switch c.Stage {
	case report.Unpruned, report.Sparse:
		return nil
	case report.TrainedOn:
		return []report.Cell{from(report.Unpruned)}
	case report.Pruned:
		switch prune.TrainingFor(c.Method) {
		case prune.Sparse:
			return []report.Cell{from(report.Sparse)}
		case prune.Soft:
			return nil
		}
		return []report.Cell{from(report.Unpruned)}
	case report.FineTuned:
		if s.Config.Distill.Weight > 0 {
			return []report.Cell{from(report.Pruned), from(report.Unpruned)}
		}
	}
	return []report.Cell{from(report.Pruned)}
}

// SizeOf counts a network and its file.
func SizeOf(a *models.Arch, masks models.Masks, path string) (report.Size, error) {
	counts, err := a.Count()
	if err != nil {
		return report.Size{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return report.Size{}, err
	}
	size := report.Size{Parameters: counts.Parameters, MACs: counts.MACs(), FileBytes: info.Size()}
	if len(masks) > 0 {
		left, err := a.CountMasked(masks)
		if err != nil {
			return report.Size{}, err
		}
		size.NonzeroParameters, size.NonzeroMACs = left.Parameters, left.MACs()
	}
	return size, nil
}

// Widths says which groups are narrower than in the whole network, and by how much.
func Widths(whole, pruned *models.Arch) []report.Width {
	var widths []report.Width
	for _, g := range whole.Groups {
		if after := pruned.Group(g.Name); after != nil && after.Channels != g.Channels {
			widths = append(widths, report.Width{Group: g.Name, Before: g.Channels, After: after.Channels})
		}
	}
	return widths
}
