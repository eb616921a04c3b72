package experiment

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// Fits returns an error if a network does not take the study's clips.
func (s *Study) Fits(n *models.Network) error {
	if have, want := n.Arch.Input, s.Set.Shape; !slices.Equal(have[:], want) || n.Arch.Classes != len(s.Set.Classes) {
		return fmt.Errorf("the network takes clips of shape %v in %d classes, the recordings give %v in %d: it was trained on other data",
			have, n.Arch.Classes, want, len(s.Set.Classes))
	}
	return nil
}

// Evaluate tests a network on a fold's test clips, or with fold 0 on all clips.
func (s *Study) Evaluate(ctx context.Context, n *models.Network, fold int) (result.Score, error) {
	if err := s.Fits(n); err != nil {
		return result.Score{}, err
	}
	rows := s.allRows()
	if fold != 0 {
		f, err := s.fold(fold)
		if err != nil {
			return result.Score{}, err
		}
		rows = f.Test
	}
	e, err := train.Evaluate(ctx, n, s.data, rows)
	return result.Score(e), err
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

// At returns which of Folds a cell is about, from 1.
func (s *Study) At(c result.Cell) int {
	if c.Inner == 0 {
		return c.Fold
	}
	return (c.Fold-1)*s.Config.Split.Inner + c.Inner
}

// cells lists the cells of one of Folds, from 1, each after those that it starts from, none twice.
func (s *Study) cells(fold int) []result.Cell {
	cell := func(stage, method string, ratio float64) result.Cell {
		c := result.Cell{Variant: result.Variant{Model: s.Config.Model, Stage: stage, Method: method, Ratio: ratio}, Fold: fold}
		if len(s.Config.Seeds) > 1 {
			c.Seed = s.Config.Seed
		}
		if inner := s.Config.Split.Inner; inner > 0 {
			c.Fold, c.Inner = (fold-1)/inner+1, (fold-1)%inner+1
		}
		return c
	}
	var cells []result.Cell
	listed := map[result.Cell]bool{}
	var add func(c result.Cell)
	add = func(c result.Cell) {
		if listed[c] {
			return
		}
		listed[c] = true
		for _, o := range s.origins(c) {
			add(o)
		}
		cells = append(cells, c)
	}
	add(cell(result.Unpruned, "", 0))
	if len(s.Config.Prune) > 0 {
		for _, stage := range s.Config.Recover {
			add(cell(result.StageOf(stage).Reference, "", 0)) // the reference of its loss
		}
	}
	for _, p := range s.Config.Prune {
		for _, stage := range append([]string{result.Pruned}, s.Config.Recover...) {
			add(cell(stage, p.Method, p.Ratio))
		}
	}
	return cells
}

// origins are the cells whose checkpoints a cell starts from.
func (s *Study) origins(c result.Cell) []result.Cell {
	how, err := stageOf(c.Stage)
	if err != nil {
		return nil
	}
	var all []result.Cell
	for _, from := range how.from(s.Config, prune.TrainingFor(c.Method)) {
		o := c
		o.Stage = from
		if !hasRatio(from) {
			o.Ratio = 0
		}
		if from == result.Unpruned {
			o.Method, o.Ratio = "", 0
		}
		all = append(all, o)
	}
	return all
}

// SizeOf counts a network and its file.
func SizeOf(a *models.Arch, masks models.Masks, path string) (result.Size, error) {
	counts, err := a.Count()
	if err != nil {
		return result.Size{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return result.Size{}, err
	}
	size := result.Size{Parameters: counts.Parameters, MACs: counts.MACs(), FileBytes: info.Size()}
	if len(masks) > 0 {
		left, err := a.CountMasked(masks)
		if err != nil {
			return result.Size{}, err
		}
		size.NonzeroParameters, size.NonzeroMACs = left.Parameters, left.MACs()
	}
	return size, nil
}

// Widths says which groups are narrower than in the whole network, and by how much.
func Widths(whole, pruned *models.Arch) []result.Width {
	var widths []result.Width
	for _, g := range whole.Groups {
		if after := pruned.Group(g.Name); after != nil && after.Channels != g.Channels {
			widths = append(widths, result.Width{Group: g.Name, Before: g.Channels, After: after.Channels})
		}
	}
	return widths
}
