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
	"time"

	"eegprune/internal/atomicfile"
	"eegprune/models"
	"eegprune/prune"
	"eegprune/report"
	"eegprune/torch"
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

// Train trains the unpruned network of a fold, counted from 1. The caller frees it.
func (s *Study) Train(ctx context.Context, fold int, watch train.Observer) (*models.Network, train.History, error) {
	return s.fresh(ctx, s.Arch, fold, watch)
}

// fresh trains a network of fresh weights.
func (s *Study) fresh(ctx context.Context, arch *models.Arch, fold int, watch train.Observer) (*models.Network, train.History, error) {
	g, err := torch.NewGenerator(torch.CPU, s.Config.Seed+uint64(fold-1))
	if err != nil {
		return nil, train.History{}, err
	}
	defer g.Free()
	// Weights are drawn on the CPU, so that a seed gives the same on every device.
	drawn, err := models.New(arch, torch.CPU, g)
	if err != nil {
		return nil, train.History{}, err
	}
	defer drawn.Free()
	n, err := drawn.To(s.device)
	if err != nil {
		return nil, train.History{}, err
	}
	return s.fit(ctx, n, fold, s.Config.Train, g, watch)
}

// fit trains n, which it takes over: on an error n is freed.
func (s *Study) fit(ctx context.Context, n *models.Network, fold int, o train.Options, g *torch.Generator, watch train.Observer) (*models.Network, train.History, error) {
	f, err := s.fold(fold)
	if err != nil {
		n.Free()
		return nil, train.History{}, err
	}
	h, err := train.Fit(ctx, n, s.data, f.Fit, f.Val, o, g, watch)
	if err != nil {
		n.Free()
		return nil, h, err
	}
	return n, h, nil
}

// Prune removes what the method chooses at the ratio. The caller frees the result; n is
// unchanged.
func Prune(n *models.Network, p Pruning) (*models.Network, error) {
	m, err := prune.ByName(p.Method)
	if err != nil {
		return nil, err
	}
	keep, err := m.Select(n, p.Ratio)
	if err != nil {
		return nil, err
	}
	return prune.Remove(n, keep)
}

// Recover brings back a pruned network's accuracy on a fold: report.FineTuned goes on
// from its weights, report.Scratch starts its structure anew. The caller frees the
// result; pruned is unchanged.
func (s *Study) Recover(ctx context.Context, pruned *models.Network, stage string, fold int, watch train.Observer) (*models.Network, train.History, error) {
	if stage == report.Scratch {
		return s.fresh(ctx, pruned.Arch, fold, watch)
	}
	g, err := torch.NewGenerator(torch.CPU, s.Config.Seed+uint64(fold-1))
	if err != nil {
		return nil, train.History{}, err
	}
	defer g.Free()
	n, err := pruned.To(s.device)
	if err != nil {
		return nil, train.History{}, err
	}
	return s.fit(ctx, n, fold, s.Config.FineTune, g, watch)
}

// Evaluate tests a network on a fold's test clips, or with fold 0 on all clips.
func (s *Study) Evaluate(ctx context.Context, n *models.Network, fold int) (report.Score, error) {
	if have, want := n.Arch.Input, [3]int(s.Set.Shape); have != want || n.Arch.Classes != len(s.Set.Classes) {
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

// parent is the stage whose checkpoint a stage starts from, "" for none.
func parent(stage string) string {
	switch stage {
	case report.Pruned:
		return report.Unpruned
	case report.FineTuned, report.Scratch:
		return report.Pruned
	}
	return ""
}

// cell describes the stage of a fold.
func (s *Study) cell(stage string, fold int) report.Cell {
	c := report.Cell{Variant: report.Variant{Model: s.Config.Model, Stage: stage}, Fold: fold}
	if stage != report.Unpruned {
		c.Method, c.Ratio = s.Config.Prune.Method, s.Config.Prune.Ratio
	}
	return c
}

// A run is a study that is carried out in a directory.
type run struct {
	*Study
	dir     string
	version string
	watch   Observer
}

func (r *run) checkpoint(c report.Cell) string {
	return filepath.Join("checkpoints", cellName(c)+".safetensors")
}

// do makes the result of one cell and its files.
func (r *run) do(ctx context.Context, c report.Cell, key string) (report.Result, error) {
	result := report.Result{Schema: report.Schema, Key: key, Cell: c, Checkpoint: r.checkpoint(c),
		Seed: r.Config.Seed + uint64(c.Fold-1), Started: time.Now().UTC().Truncate(time.Millisecond)}
	n, h, err := r.network(ctx, c)
	if err != nil {
		return result, err
	}
	defer n.Free()
	if len(h.Epochs) > 0 {
		result.Best = h.Best + 1
	}
	for _, e := range h.Epochs {
		result.Epochs = append(result.Epochs, report.Epoch(e))
	}
	if result.Test, err = r.Evaluate(ctx, n, c.Fold); err != nil {
		return result, err
	}
	v, err := train.Evaluate(ctx, n, r.data, r.Folds[c.Fold-1].Val)
	if err != nil {
		return result, err
	}
	result.Validation = report.Score(v)
	p := r.Provenance(c, r.version, result.Test)
	p.Key = key
	path := filepath.Join(r.dir, result.Checkpoint)
	if err := n.Save(path, p); err != nil {
		return result, err
	}
	if result.Size, err = SizeOf(n.Arch, path); err != nil {
		return result, err
	}
	result.Seconds = time.Since(result.Started).Seconds()
	return result, r.keep(result)
}

// network makes the network of a cell.
func (r *run) network(ctx context.Context, c report.Cell) (*models.Network, train.History, error) {
	watch := train.Observer{Epoch: func(done int, e train.Epoch) { r.watch.epoch(c, done, report.Epoch(e)) }}
	if r.watch.Log != nil {
		watch.Log = r.watch.Log
	}
	if c.Stage == report.Unpruned {
		return r.Train(ctx, c.Fold, watch)
	}
	from, _, err := models.Load(filepath.Join(r.dir, r.checkpoint(r.cell(parent(c.Stage), c.Fold))), r.device)
	if err != nil {
		return nil, train.History{}, err
	}
	defer from.Free()
	if c.Stage == report.Pruned {
		n, err := Prune(from, r.Config.Prune)
		return n, train.History{}, err
	}
	return r.Recover(ctx, from, c.Stage, c.Fold, watch)
}

// SizeOf counts a network and its file.
func SizeOf(a *models.Arch, path string) (report.Size, error) {
	counts, err := a.Count()
	if err != nil {
		return report.Size{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return report.Size{}, err
	}
	return report.Size{Parameters: counts.Parameters, MACs: counts.MACs(), FileBytes: info.Size()}, nil
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
