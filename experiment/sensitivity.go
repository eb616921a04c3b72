package experiment

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// The clips on which sensitivity is measured. Pruning should be decided on those of validation, or
// the test is no test any more.
const (
	OnValidation = "validation"
	OnTest       = "test"
)

// SensitivityOptions choose the method and the ratios.
type SensitivityOptions struct {
	Method   string
	Ratios   []float64
	Options  prune.Options // Layers and Scope are not looked at: layers are pruned one at a time
	On       string        // OnValidation or OnTest
	Progress func(done, total int)
}

// Check returns an error that names the setting which can't be used.
func (o SensitivityOptions) Check() error {
	if o.On != OnValidation && o.On != OnTest {
		return fmt.Errorf("there are no %q clips: use %s or %s", o.On, OnValidation, OnTest)
	}
	if len(o.Ratios) == 0 {
		return fmt.Errorf("there are no ratios to prune at")
	}
	for _, r := range o.Ratios {
		if err := (Pruning{o.Method, r}).check(); err != nil {
			return err
		}
	}
	return o.Options.Check()
}

// A SeveralNetworksError is of results of more than one network, where those of one are wanted.
type SeveralNetworksError struct {
	Dir    string
	Models []string
	Path   string // a checkpoint of one of them
}

func (e *SeveralNetworksError) Error() string {
	return fmt.Sprintf("%s has several networks (%s): name the checkpoints of one, such as %s", e.Dir, strings.Join(e.Models, ", "), e.Path)
}

// PrunedFrom returns the checkpoints, of the results in a directory, that a method prunes: those
// of a network's folds.
func PrunedFrom(dir, method string) ([]string, error) {
	from := append(prunedFrom(Config{}, prune.TrainingFor(method)), result.Unpruned) // also of networks pruned while they are trained
	want := result.Variant{Stage: from[0]}
	if want.Stage != result.Unpruned {
		want.Method = method
	}
	s, err := result.Read(dir)
	if err != nil {
		return nil, fmt.Errorf("%w; a directory of results has a %s, which \"eegprune run\" writes", err, result.File)
	}
	var paths, names []string
	for _, r := range s.Results {
		if r.Stage != want.Stage || r.Method != want.Method {
			continue
		}
		paths = append(paths, filepath.Join(dir, r.Checkpoint))
		if !slices.Contains(names, r.Model) {
			names = append(names, r.Model)
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s has no %s networks, from which %s starts: make them with eegprune run", dir, want.Stage, method)
	}
	if len(names) > 1 {
		return nil, &SeveralNetworksError{dir, names, paths[0]}
	}
	return paths, nil
}

// Sensitivity prunes one layer at a time, all others whole, in the networks of some of the study's
// folds, and evaluates the pruned networks; nothing is trained and no file is written. It divides
// the study.
func (s *Study) Sensitivity(ctx context.Context, checkpoints []*Checkpoint, o SensitivityOptions) (*report.Sensitivity, error) {
	first := checkpoints[0]
	if _, err := first.Divide(s); err != nil {
		return nil, err
	}
	var networks []*models.Network
	var folds []int
	for _, c := range checkpoints {
		if c.Data != first.Data || c.Network.Arch.Model != first.Network.Arch.Model {
			return nil, fmt.Errorf("%s and %s are not of one study: they were trained on other data, or are other networks", first.Path, c.Path)
		}
		fold, err := c.fold(s)
		if err != nil {
			return nil, err
		}
		networks, folds = append(networks, c.Network), append(folds, fold)
	}
	return s.sensitivity(ctx, networks, folds, o)
}

// sensitivity is Sensitivity of networks[i] on folds[i].
func (s *Study) sensitivity(ctx context.Context, networks []*models.Network, folds []int, o SensitivityOptions) (*report.Sensitivity, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	m, err := prune.ByName(o.Method)
	if err != nil {
		return nil, err
	}
	layers, err := prune.Prunable(s.Arch, m, o.Options)
	if err != nil {
		return nil, err
	}
	if len(layers) < 2 {
		return nil, fmt.Errorf("of %s %s prunes %s only: sensitivity compares layers, and needs two; sweep shows what pruning one costs",
			s.Arch.Model, o.Method, cmp.Or(strings.Join(layers, ""), "no layer"))
	}
	whole, err := s.Arch.Count()
	if err != nil {
		return nil, err
	}
	out := &report.Sensitivity{Schema: result.Schema, Model: s.Arch.Model, Method: o.Method, On: o.On, Metric: s.Config.Metric, Folds: folds, Leak: s.leak(),
		Settings: s.settings(Grid{s}.sameFolds(s.Config.Model))}
	for _, l := range layers {
		for _, r := range o.Ratios {
			out.Points = append(out.Points, report.SensitivityPoint{Layer: l, Ratio: r})
		}
	}
	done, total := 0, len(networks)*(len(out.Points)+1)
	step := func() {
		if done++; o.Progress != nil {
			o.Progress(done, total)
		}
	}
	for i, n := range networks {
		rows := s.rows(folds[i], o.On)
		e, err := train.Evaluate(ctx, n, s.data, rows)
		if err != nil {
			return nil, fmt.Errorf("fold %d: %w", folds[i], err)
		}
		score := result.Score(e)
		out.Baseline, out.Majority = append(out.Baseline, score.By(s.Config.Metric)), append(out.Majority, score.Trivial(s.Config.Metric))
		if score.LacksClass(s.Config.Metric) {
			out.Lacking = append(out.Lacking, folds[i])
		}
		step()
		for k := range out.Points {
			if err := s.point(ctx, n, m, folds[i], rows, o, &out.Points[k], whole); err != nil {
				return nil, fmt.Errorf("fold %d, %s at %g: %w", folds[i], out.Points[k].Layer, out.Points[k].Ratio, err)
			}
			step()
		}
	}
	return out, nil
}

func (s *Study) rows(fold int, on string) []int {
	if on == OnTest {
		return s.Folds[fold-1].Test
	}
	return s.Folds[fold-1].Val
}

// point prunes one layer and adds the score after it.
func (s *Study) point(ctx context.Context, n *models.Network, m prune.Method, fold int, rows []int, o SensitivityOptions, p *report.SensitivityPoint, whole models.Counts) error {
	only := o.Options
	only.Scope, only.Layers = prune.Layer, map[string]float64{p.Layer: p.Ratio}
	d, err := prune.Choose(n, m, 0, only, s.evidence(n, fold))
	if err != nil {
		return err
	}
	small, err := d.Apply(n)
	if err != nil {
		return err
	}
	defer small.Free()
	e, err := train.Evaluate(ctx, small, s.data, rows)
	if err != nil {
		return err
	}
	p.Scores = append(p.Scores, result.Score(e).By(s.Config.Metric))
	left, err := d.Count(n.Arch)
	if err != nil {
		return err
	}
	p.MACsSaved = 1 - float64(left.MACs())/float64(whole.MACs())
	p.ParametersSaved = 1 - float64(left.Parameters)/float64(whole.Parameters)
	if mask := d.Masks[p.Layer+".weight"]; mask != nil {
		p.Channels, p.Left = mask.Len(), mask.Count()
	} else {
		p.Channels, p.Left = n.Arch.Group(p.Layer).Channels, len(d.Keep[p.Layer])
	}
	return nil
}
