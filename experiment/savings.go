package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
)

// SavingsOptions define a loss, and how finely the ratio is sought.
type SavingsOptions struct {
	report.Judgement
	Most float64 // the largest ratio that is tried
	Step float64 // ratios are multiples of it
}

// Check returns an error that names the setting which can't be used.
func (o SavingsOptions) Check() error {
	if !(o.Step > 0 && o.Step <= o.Most && o.Most < 1) {
		return fmt.Errorf("a step of %g up to %g: the step must be positive, the largest ratio not below it, and below 1", o.Step, o.Most)
	}
	return o.Judgement.Check()
}

// Savings finds for each network, method and way to recover the largest ratio at which
// the validation clips show that less than the margin is lost, and tests that one network
// on the test clips. It takes loss to grow with the ratio, and so seeks by bisection: of n
// possible ratios log2(n) are trained. The results of all networks that were made on the
// way come with it.
func (g Grid) Savings(ctx context.Context, o RunOptions, so SavingsOptions) (*report.Savings, *result.Study, error) {
	if err := so.Check(); err != nil {
		return nil, nil, err
	}
	if len(g) == 0 {
		return nil, nil, errors.New("there is nothing to save of")
	}
	if name := g[0].Config.Split.Name; name == data.Nested {
		return nil, nil, fmt.Errorf("savings seeks one ratio for all folds, and the folds of a %s split choose one each: run the ratios (eegprune sweep) and compare them (eegprune compare)", name)
	}
	o.Watch.Changed = nil // the ratios to try are not known yet
	seeker := seeker{SavingsOptions: so}
	models := map[string]int{} // of each the folds that count as one observation each
	for _, s := range g {
		c := *s
		c.Config.Prune = nil // each ratio tried is added
		seeker.grid = append(seeker.grid, &c)
		if g.sameFolds(s.Config.Model) {
			models[s.Config.Model] = len(s.Folds)
		} else {
			models[s.Config.Model] += len(s.Folds)
		}
	}
	for _, folds := range models {
		if err := (report.PairedTest{Name: so.Test, TestShare: 1}).Enough(folds, so.Level); err != nil {
			return nil, nil, err
		}
	}
	out := &report.Savings{Schema: result.Schema, Test: so.Test, Level: so.Level, Margin: so.Margin}
	err := o.hold(ctx, func(ctx context.Context, h *holding) error {
		seeker.holding = h
		for i, s := range g {
			if slices.ContainsFunc(g[:i], func(o *Study) bool { return o.Config.Model == s.Config.Model }) {
				continue // another seed of a network that was dealt with
			}
			for _, method := range s.methods() {
				for _, stage := range s.Config.Recover {
					row, err := seeker.seek(ctx, s.Config, method, stage)
					if err != nil {
						return err
					}
					out.Rows = append(out.Rows, row)
				}
			}
		}
		return nil
	})
	if len(seeker.all) == 0 {
		return nil, nil, err // reports of others, or of earlier runs, stay
	}
	results, failed := seeker.results()
	if err == nil {
		err = failed
	}
	if err == nil {
		err = seeker.measure(ctx, out.Rows)
	}
	if err != nil {
		return nil, results, err
	}
	out.Settings, out.Leak, out.Leaks, out.Metric = results.Settings, results.Leak, results.Leaks, g[0].Config.Metric
	out.Settle()
	return out, results, nil
}

// methods lists those of the configuration, each once.
func (s *Study) methods() []string {
	var names []string
	for _, p := range s.Config.Prune {
		if !slices.Contains(names, p.Method) {
			names = append(names, p.Method)
		}
	}
	return names
}

// A seeker carries out one ratio after another, and keeps all results.
type seeker struct {
	SavingsOptions
	grid    Grid
	holding *holding
	all     []result.Result
}

// results are the results of all ratios that were tried, as a study.
func (k *seeker) results() (*result.Study, error) {
	return k.grid.report(k.all, k.holding.options)
}

// A trial is the results of one ratio, over folds and seeds.
type trial struct {
	ratio                    float64
	whole, reference, pruned []result.Result
	validation               report.Verdict
}

// seek finds the largest ratio without loss for one method and recovery of a network, of
// which c is the configuration for one of the seeds.
func (k *seeker) seek(ctx context.Context, c Config, method, stage string) (report.Saving, error) {
	metric := c.Metric
	row := report.Saving{Model: c.Model, Method: method, Stage: stage}
	low, high := 0, int(math.Floor(k.Most/k.Step+1e-9)) // in steps: none lost, and the first to try
	top := high
	var last, chosen trial
	var alike error // of a ratio that could not be tested
	for low < high {
		mid := (low + high + 1) / 2
		if high == top && len(row.Tried) == 0 {
			mid = high
		}
		// Of a short decimal, as a user would write it: 0.14, not 0.14000000000000001.
		ratio := math.Round(float64(mid)*k.Step*1e9) / 1e9
		t, err := k.try(ctx, c.Model, Pruning{method, ratio}, stage)
		if err != nil {
			return row, err
		}
		if t.validation, _, _, err = k.Judge(metric, true, t.reference, t.pruned); err != nil && !errors.Is(err, report.ErrAlike) {
			return row, fmt.Errorf("%s by %s at %g on the validation clips: %w", c.Model, method, ratio, err)
		}
		if err != nil {
			alike = err
		}
		// A ratio that can't be tested counts as a loss.
		loses := t.validation.P == nil || *t.validation.P > k.Level
		row.Tried = append(row.Tried, report.Attempt{Ratio: ratio, Verdict: t.validation, Loses: loses})
		last = t
		if loses {
			high = mid - 1
			continue
		}
		low, chosen = mid, t
	}
	row.Whole, row.Size = report.MeanSize(last.whole), report.MeanSize(last.whole)
	row.Reference, row.TestShare, row.Baseline = last.reference[0].Stage, report.TestShare(last.pruned), report.BaselineOf(last.whole, metric)
	if chosen.ratio == 0 {
		row.Note = fmt.Sprintf("at no ratio that was tried do the validation clips show that less than %.3g points are lost", 100*k.Margin)
		if alike != nil {
			row.Note += fmt.Sprintf("; ratios without a p were not tested: %v", alike)
		}
		return row, nil
	}
	row.PTrivial = k.AboveTrivial(metric, chosen.reference)
	row.Ratio, row.Validation, row.Size = chosen.ratio, chosen.validation, report.MeanSize(chosen.pruned)
	var err error
	row.Verdict, row.ReferenceScores, row.Scores, err = k.Judge(metric, false, chosen.reference, chosen.pruned)
	switch {
	case errors.Is(err, report.ErrAlike):
		row.Note = fmt.Sprintf("on the test clips %v", err)
	case err != nil:
		return row, fmt.Errorf("%s by %s at %g on the test clips: %w", c.Model, method, chosen.ratio, err)
	}
	return row, nil
}

// try makes the networks of a ratio, for all seeds, and pairs them with their references.
func (k *seeker) try(ctx context.Context, model string, p Pruning, stage string) (trial, error) {
	t := trial{ratio: p.Ratio}
	var grid Grid
	for _, whole := range k.grid {
		if whole.Config.Model != model {
			continue
		}
		s := *whole
		s.Config.Prune, s.Config.Recover = []Pruning{p}, []string{stage}
		if stage == result.Pruned {
			s.Config.Recover = nil
		}
		// The report covers all ratios tried.
		if asked := &whole.Config.Prune; !slices.Contains(*asked, p) {
			*asked = append(*asked, p)
		}
		grid = append(grid, &s)
	}
	results, err := k.holding.carryOut(ctx, grid, k.grid)
	fixed := k.grid.sameFolds(model)
	for _, r := range results {
		r.FixedFolds = fixed
		if !slices.ContainsFunc(k.all, func(o result.Result) bool { return o.Cell == r.Cell }) {
			k.all = append(k.all, r)
		}
		switch {
		case r.Stage == result.Unpruned:
			t.whole = append(t.whole, r)
		case r.Stage == result.StageOf(stage).Reference:
			t.reference = append(t.reference, r)
		case r.Stage == stage && r.Method == p.Method && r.Ratio == p.Ratio:
			t.pruned = append(t.pruned, r)
		}
	}
	if len(t.reference) == 0 {
		t.reference = t.whole
	}
	return t, err
}

// measure times the networks that rows are about, of the first fold.
func (k *seeker) measure(ctx context.Context, rows []report.Saving) error {
	var about []result.Variant // of each row the unpruned network and the saving one
	for _, r := range rows {
		whole := result.Variant{Model: r.Model, Stage: result.Unpruned}
		saving := whole
		if r.Ratio > 0 {
			saving = result.Variant{Model: r.Model, Stage: r.Stage, Method: r.Method, Ratio: r.Ratio}
		}
		about = append(about, whole, saving)
	}
	measured := slices.DeleteFunc(slices.Clone(k.all), func(r result.Result) bool { return !slices.Contains(about, r.Variant) })
	speeds, err := k.grid.speeds(ctx, measured, k.holding.options.Dir)
	if err != nil {
		return err
	}
	speed := map[result.Variant]result.Speed{}
	for _, s := range speeds {
		speed[s.Variant] = s.Speed
	}
	for i := range rows {
		rows[i].WholeSpeed, rows[i].Speed = speed[about[2*i]], speed[about[2*i+1]]
	}
	return nil
}
