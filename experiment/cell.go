package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"eegprune/internal/atomicfile"
	"eegprune/internal/meter"
	"eegprune/models"
	"eegprune/prune"
	"eegprune/report"
	"eegprune/train"
)

// Provenance is what a checkpoint says of where it comes from.
type Provenance struct {
	Version string       `json:"version"`
	Key     string       `json:"key,omitempty"` // of the study's cell; empty for files made one by one
	Cell    report.Cell  `json:"cell"`
	Config  Config       `json:"config"`
	Classes []string     `json:"classes"`
	Data    string       `json:"data"` // fingerprint of the feature set
	Test    report.Score `json:"test"`
}

// Evaluate tests a network on a fold's test clips, or with fold 0 on all clips.
func (s *Study) Evaluate(ctx context.Context, n *models.Network, fold int) (report.Score, error) {
	if have, want := n.Arch.Input, s.Set.Shape; !slices.Equal(have[:], want) || n.Arch.Classes != len(s.Set.Classes) {
		return report.Score{}, fmt.Errorf("the network takes clips of shape %v in %d classes, the recordings give %v in %d: it was trained on other data",
			have, n.Arch.Classes, want, len(s.Set.Classes))
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
	return Provenance{Version: version, Cell: c, Config: s.Config, Classes: s.Set.Classes, Data: s.fingerprint, Test: test}
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
	return p, nil
}

// cells lists what the study does of a fold, each cell after those that it starts from,
// none twice.
func (s *Study) cells(fold int) []report.Cell {
	cell := func(stage, method string, ratio float64) report.Cell {
		return report.Cell{Variant: report.Variant{Model: s.Config.Model, Stage: stage, Method: method, Ratio: ratio}, Fold: fold}
	}
	cells := []report.Cell{cell(report.Unpruned, "", 0)}
	add := func(c report.Cell) {
		if !slices.Contains(cells, c) {
			cells = append(cells, c)
		}
	}
	for _, p := range s.Config.Prune {
		if m, err := prune.ByName(p.Method); err == nil && m.Training == prune.Sparse {
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
	case report.Pruned:
		m, err := prune.ByName(c.Method)
		switch {
		case err == nil && m.Training == prune.Sparse:
			return []report.Cell{from(report.Sparse)}
		case err == nil && m.Training == prune.Soft:
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

// A run is a study that is carried out in a directory.
type run struct {
	*Study
	dir     string
	watch   Observer
	machine report.Run // by what and where; not yet what it took
	meter   *meter.Meter
	scope   meter.Scope // of a cell's CPU time
}

func (r *run) checkpoint(c report.Cell) string {
	return filepath.Join("checkpoints", CellName(c)+".safetensors")
}

// do makes the result of one cell and its files.
func (r *run) do(ctx context.Context, c report.Cell, key string) (report.Result, error) {
	result := report.Result{Schema: report.Schema, Key: key, Cell: c, Checkpoint: r.checkpoint(c), Seed: r.seed(c.Fold), Run: r.machine}
	result.Started = time.Now().UTC().Truncate(time.Millisecond)
	span := r.meter.Start(r.scope)
	err := r.make(ctx, &result)
	took(&result.Run, span.Stop(), r.scope, r.device)
	if err != nil {
		return result, err
	}
	return result, r.keep(result)
}

// make makes the network of a cell, its checkpoint, and what the result says of them.
func (r *run) make(ctx context.Context, result *report.Result) error {
	c := result.Cell
	made, err := r.network(ctx, c)
	if err != nil {
		return err
	}
	n := made.Network
	defer n.Free()
	if len(made.History.Epochs) > 0 {
		result.Best = made.History.Best + 1
	}
	for _, e := range made.History.Epochs {
		result.Epochs = append(result.Epochs, report.Epoch(e))
	}
	if result.Test, err = r.Evaluate(ctx, n, c.Fold); err != nil {
		return err
	}
	v, err := train.Evaluate(ctx, n, r.data, r.Folds[c.Fold-1].Val)
	if err != nil {
		return err
	}
	result.Validation = report.Score(v)
	p := r.Provenance(c, r.machine.Version, result.Test)
	p.Key = result.Key
	path := filepath.Join(r.dir, result.Checkpoint)
	if err := n.Save(path, p); err != nil {
		return err
	}
	result.Widths, result.Notes = Widths(r.Arch, n.Arch), made.Notes
	result.Size, err = SizeOf(n.Arch, n.Masks(), path)
	return err
}

// network makes the network of a cell.
func (r *run) network(ctx context.Context, c report.Cell) (Made, error) {
	watch := train.Observer{Log: r.watch.Log, Epoch: func(done int, e train.Epoch) { r.watch.epoch(c, done, report.Epoch(e)) }}
	var from []*models.Network
	defer func() {
		for _, n := range from {
			n.Free()
		}
	}()
	for _, o := range r.origins(c) {
		n, _, err := models.Load(filepath.Join(r.dir, r.checkpoint(o)), r.device)
		if err != nil {
			return Made{}, err
		}
		from = append(from, n)
	}
	switch c.Stage {
	case report.Unpruned:
		return r.Train(ctx, c.Fold, watch)
	case report.Sparse:
		return r.trainSparse(ctx, c.Fold, watch)
	case report.Pruned:
		m, err := prune.ByName(c.Method)
		if err != nil {
			return Made{}, err
		}
		if m.Training == prune.Soft {
			return r.pruneSoftly(ctx, m, c.Ratio, c.Fold, watch)
		}
		return r.Prune(from[0], Pruning{c.Method, c.Ratio}, c.Fold)
	}
	var teacher *models.Network
	if len(from) > 1 {
		teacher = from[1]
	}
	return r.Recover(ctx, from[0], teacher, c.Stage, c.Fold, watch)
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
	for i, g := range whole.Groups {
		if after := pruned.Groups[i].Channels; after != g.Channels {
			widths = append(widths, report.Width{Group: g.Name, Before: g.Channels, After: after})
		}
	}
	return widths
}

func (r *run) resultPath(key string) string { return filepath.Join(r.dir, "cells", key+".json") }

// keep writes a result, which says that the cell is done: last of all its files.
func (r *run) keep(result report.Result) error {
	b, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return fmt.Errorf("writing a result: %w", err)
	}
	return atomicfile.WriteFile(r.resultPath(result.Key), append(b, '\n'))
}

// kept returns the result of a cell that was done before, if it is there whole and its
// checkpoint is still that cell's.
func (r *run) kept(key string) (report.Result, bool, error) {
	var result report.Result
	path := r.resultPath(key)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return result, false, nil
	}
	if err != nil {
		return result, false, err
	}
	if err := json.Unmarshal(b, &result); err != nil {
		return result, false, fmt.Errorf("%s is damaged: %w; delete it and the cell is done again", path, err)
	}
	checkpoint := filepath.Join(r.dir, result.Checkpoint)
	m, err := models.ReadMeta(checkpoint)
	if err != nil {
		return result, false, nil
	}
	p, err := ReadProvenance(checkpoint, m)
	return result, err == nil && p.Key == key && result.Schema == report.Schema, nil
}

// An Observer is told how a run goes on, from several goroutines at once. Its fields
// may be nil.
type Observer struct {
	Start func(c report.Cell)
	Epoch func(c report.Cell, done int, e report.Epoch)
	Done  func(c report.Cell, r report.Result, before bool) // before: it was done by an earlier run
	Log   io.Writer                                         // see train.Observer
}

func (o Observer) start(c report.Cell) {
	if o.Start != nil {
		o.Start(c)
	}
}

func (o Observer) epoch(c report.Cell, done int, e report.Epoch) {
	if o.Epoch != nil {
		o.Epoch(c, done, e)
	}
}

func (o Observer) done(c report.Cell, r report.Result, before bool) {
	if o.Done != nil {
		o.Done(c, r, before)
	}
}
