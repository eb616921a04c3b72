package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// A Planned is a cell that a study will do, with its cost.
type Planned struct {
	Cell   result.Cell `json:"cell"`
	Key    string      `json:"key"`
	MACs   int64       `json:"macs"` // of its training and evaluations, all in all
	Epochs int         `json:"-"`    // for which it trains
	Share  int         `json:"share,omitempty"`
	Done   bool        `json:"-"` // there is a result in the directory

	result result.Result // where it is Done
}

// A Plan is all that a study will do.
type Plan struct {
	Cells []Planned `json:"cells"`
	// Study describes the study, without results: the part of a report beside them.
	Study *result.Study `json:"study,omitempty"`
	// SecondsPerTeraMAC is the time of 10^12 MACs of each network on this machine, as measured; see
	// Estimate.
	SecondsPerTeraMAC map[string]float64 `json:"seconds_per_teramac,omitempty"`
}

// backward is the cost of a training step in forward passes: a gradient costs two.
const backward = 3

// Plan lists the cells of a run, and which are done already in the directory.
func (g Grid) Plan(o RunOptions) (*Plan, error) {
	p := &Plan{}
	d := directory(o.Dir)
	for _, s := range g {
		known := expectation{of: map[Pruning]models.Counts{}, byWidths: map[string]models.Counts{}}
		arch, err := json.Marshal(s.Arch)
		if err != nil {
			return nil, fmt.Errorf("describing the network: %w", err)
		}
		whole, err := s.Arch.Count()
		if err != nil {
			return nil, err
		}
		cells := s.Cells(o)
		p.Cells = slices.Grow(p.Cells, len(cells))
		for _, c := range cells {
			key, err := s.keyWith(c, arch)
			if err != nil {
				return nil, err
			}
			cell := Planned{Cell: c, Key: key}
			if cell.Epochs, cell.MACs, err = s.cost(c, whole, known); err != nil {
				return nil, err
			}
			if o.Dir != "" {
				if cell.result, cell.Done, err = d.kept(key); err != nil {
					return nil, err
				}
				cell.result.Cell = c // it may be of a study of this repetition alone
			}
			p.Cells = append(p.Cells, cell)
		}
	}
	return p, nil
}

// A Load is the work of one share of a plan.
type Load struct {
	Share Share
	Cells int
	MACs  int64
	Folds []string // "fbccnn fold 1"
}

// Cut deals the cells out to that many shares, those that start from each other to one.
func (p *Plan) Cut(parts int) []Load {
	loads := make([]Load, parts)
	for i := range loads {
		loads[i].Share = Share{i + 1, parts}
	}
	share := shares(p.Cells, parts)
	for i := range p.Cells {
		c := &p.Cells[i]
		c.Share = share[unitOf(c.Cell)]
		l := &loads[c.Share-1]
		l.Cells++
		l.MACs += c.MACs
		if fold := c.Cell.Model + " " + FoldName(c.Cell); !slices.Contains(l.Folds, fold) {
			l.Folds = append(l.Folds, fold)
		}
	}
	return loads
}

// part is the plan of one share.
func (p *Plan) part(s Share) *Plan {
	if s == (Share{}) {
		return p
	}
	c := *p
	c.Cells = slices.Clone(p.Cells)
	c.Cut(s.Of)
	c.Cells = slices.DeleteFunc(c.Cells, func(c Planned) bool { return c.Share != s.Number })
	return &c
}

// owns reports whether a file, by its name, is of one of the cells.
func (p *Plan) owns(name string) bool {
	return slices.ContainsFunc(p.Cells, func(c Planned) bool {
		return strings.HasPrefix(name, c.Key+".") || strings.HasPrefix(name, CellName(c.Cell)+".")
	})
}

// A Change is the difference between a study and the one carried out in its directory before.
type Change struct {
	Holds   int           // cells that are done and as asked for
	New     []result.Cell // that were not asked for before, or otherwise
	Dropped []result.Cell // that are not asked for any more; their files stay
}

// change compares the plan with an older one.
func (p *Plan) change(before *Plan) Change {
	var c Change
	old, now := map[string]bool{}, map[string]bool{}
	for _, cell := range before.Cells {
		old[cell.Key] = true
	}
	for _, cell := range p.Cells {
		now[cell.Key] = true
		switch {
		case cell.Done:
			c.Holds++
		case !old[cell.Key]:
			c.New = append(c.New, cell.Cell)
		}
	}
	for _, cell := range before.Cells {
		if !now[cell.Key] {
			c.Dropped = append(c.Dropped, cell.Cell)
		}
	}
	return c
}

// cost is the epochs for which a cell trains and its MACs. A network that is not pruned yet costs as
// one pruned alike in every layer; known keeps those counts.
func (s *Study) cost(c result.Cell, whole models.Counts, known expectation) (epochs int, macs int64, err error) {
	how, err := stageOf(c.Stage)
	if err != nil {
		return 0, 0, err
	}
	trained, tested, effective := whole.MACs(), whole.MACs(), whole.MACs() // of the network while it is trained, when it is tested, and but for its zeros
	f := s.Folds[s.At(c)-1]
	var training *prune.Training
	if c.Method != "" {
		m, err := prune.ByName(c.Method)
		if err != nil {
			return 0, 0, err
		}
		training = m.Training
		if hasRatio(c.Stage) {
			counts, err := s.expect(m, c.Ratio, known)
			if err != nil {
				return 0, 0, err
			}
			effective = counts.MACs()
			if !m.Masks {
				tested = effective // a masked network computes with its zeros
			}
		}
		if how.small {
			trained = tested
		}
	}
	epochs = how.epochs(s.Config, training, whole.MACs(), effective)
	perEpoch := backward*trained*int64(len(f.Fit)) + trained*int64(len(f.Val))
	return epochs, int64(epochs)*perEpoch + tested*int64(len(f.Val)+len(f.Test)), nil
}

// An expectation keeps the counts of pruned networks that are planned: of each pruning, which folds and
// stages share, and of the widths that methods and ratios share.
type expectation struct {
	of       map[Pruning]models.Counts
	byWidths map[string]models.Counts
}

// expect counts the network that a method leaves at a ratio.
func (s *Study) expect(m prune.Method, ratio float64, known expectation) (models.Counts, error) {
	pruning := Pruning{m.Name, ratio}
	if counts, found := known.of[pruning]; found {
		return counts, nil
	}
	d, err := prune.Expect(s.Arch, m, ratio, s.Config.Options)
	if err != nil {
		return models.Counts{}, err
	}
	widths := map[string]int{}
	for group, kept := range d.Keep {
		widths[group] = len(kept)
	}
	key := fmt.Sprint(widths, len(d.Masks)) // maps are printed in order
	counts, found := known.byWidths[key]
	if !found || d.Masks != nil {
		if counts, err = d.Count(s.Arch); err != nil {
			return models.Counts{}, err
		}
	}
	known.of[pruning], known.byWidths[key] = counts, counts
	return counts, nil
}

// Estimate measures how fast each network trains on this machine, about length each, and fills in the
// plan's SecondsPerTeraMAC.
func (g Grid) Estimate(ctx context.Context, p *Plan, length time.Duration) error {
	p.SecondsPerTeraMAC = map[string]float64{}
	for _, s := range g {
		if _, timed := p.SecondsPerTeraMAC[s.Config.Model]; timed {
			continue // another repetition
		}
		times, err := train.TimeSteps(ctx, s.Arch, s.Config.Train, s.Config.Train.BatchSize, s.device, length)
		if err != nil {
			return fmt.Errorf("timing %s: %w", s.Config.Model, err)
		}
		slices.Sort(times.Each)
		whole, err := s.Arch.Count()
		if err != nil {
			return err
		}
		macs := float64(backward * whole.MACs() * int64(s.Config.Train.BatchSize))
		p.SecondsPerTeraMAC[s.Config.Model] = times.Each[len(times.Each)/2] / 1e3 / macs * 1e12
	}
	return nil
}

// Seconds is the time of a planned cell by the plan's estimate.
func (p *Plan) Seconds(c Planned) float64 {
	return float64(c.MACs) / 1e12 * p.SecondsPerTeraMAC[c.Cell.Model]
}

// Left is the time that the cells take which are not done, jobs of them side by side.
func (p *Plan) Left(jobs int) time.Duration {
	seconds := 0.0
	for _, c := range p.Cells {
		if !c.Done {
			seconds += p.Seconds(c)
		}
	}
	return time.Duration(seconds / float64(max(jobs, 1)) * float64(time.Second))
}

// A Sum is the cost of some of a plan's cells together.
type Sum struct {
	Model, Method, Stage string // that they share
	Cells, Done          int
	MACs                 int64
	Seconds              float64 // one after another, by the plan's estimate
}

func (s *Sum) add(p *Plan, c Planned) {
	s.Cells++
	s.MACs += c.MACs
	s.Seconds += p.Seconds(c)
	if c.Done {
		s.Done++
	}
}

// Sums adds up the cells of each network, method and stage, in the plan's order, and all.
func (p *Plan) Sums() (sums []Sum, all Sum) {
	for _, c := range p.Cells {
		kind := Sum{Model: c.Cell.Model, Method: c.Cell.Method, Stage: c.Cell.Stage}
		i := slices.IndexFunc(sums, func(s Sum) bool { return s.Model == kind.Model && s.Method == kind.Method && s.Stage == kind.Stage })
		if i < 0 {
			i = len(sums)
			sums = append(sums, kind)
		}
		sums[i].add(p, c)
		all.add(p, c)
	}
	return sums, all
}
