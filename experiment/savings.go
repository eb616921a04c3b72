package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"eegprune/report"
)

// SavingsOptions say what counts as a loss of accuracy, and how finely the ratio is
// sought.
type SavingsOptions struct {
	Test   string  // see report.PairedTest
	Level  float64 // of the test
	Margin float64 // see report.Savings
	Most   float64 // the largest ratio that is tried
	Step   float64 // ratios are multiples of it
}

// Check returns an error that names the setting which can't be used.
func (o SavingsOptions) Check() error {
	switch {
	case !(o.Level > 0 && o.Level < 1):
		return fmt.Errorf("level %g is outside (0, 1): 0.05 is usual", o.Level)
	case !(o.Margin >= 0 && o.Margin < 1):
		return fmt.Errorf("margin %g is outside [0, 1): 0.01 takes a loss of one point for none", o.Margin)
	case !(o.Step > 0 && o.Step <= o.Most && o.Most < 1):
		return fmt.Errorf("a step of %g up to %g: the step must be positive, the largest ratio not below it, and below 1", o.Step, o.Most)
	}
	return report.PairedTest{Name: o.Test, TestShare: 1}.Check() // what share, the folds will say
}

// Savings finds for each study, method and way to recover the largest ratio at which no
// accuracy is lost, as far as a paired test over the folds can tell. It takes loss to
// grow with the ratio, and so seeks by bisection: of n possible ratios log2(n) are
// trained. The results of all networks that were made on the way come with it.
func (g Grid) Savings(ctx context.Context, o RunOptions, so SavingsOptions) (*report.Savings, *report.Study, error) {
	if err := so.Check(); err != nil {
		return nil, nil, err
	}
	if len(g) == 0 {
		return nil, nil, fmt.Errorf("there is nothing to save of")
	}
	out := &report.Savings{Schema: report.Schema, Test: so.Test, Level: so.Level, Margin: so.Margin}
	o.Watch.Changed = nil // what will be tried is not known yet
	seeker := seeker{SavingsOptions: so}
	for _, s := range g {
		c := *s
		c.Config.Prune = nil // what is tried is added
		seeker.grid = append(seeker.grid, &c)
	}
	for _, s := range g {
		test := report.PairedTest{Name: so.Test, TestShare: s.testShare()}
		if err := test.Enough(len(s.Folds), so.Level); err != nil {
			return nil, nil, err
		}
		seeker.tests = append(seeker.tests, test)
		out.TestShare = test.TestShare
		if leak := s.leak(); leak != "" {
			out.Leak = leak
		}
	}
	err := o.hold(ctx, func(ctx context.Context, h *holding) error {
		seeker.holding = h
		for i, s := range g {
			for _, method := range s.methods() {
				for _, stage := range s.Config.Recover {
					row, err := seeker.seek(ctx, i, method, stage)
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
		return nil, nil, err // what others, or earlier runs, reported stays
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
	out.Settings = results.Settings
	return out, results, nil
}

// testShare is the ratio of test clips to training clips, over the folds.
func (s *Study) testShare() float64 {
	share := 0.0
	for _, f := range s.Folds {
		share += float64(len(f.Test)) / float64(len(f.Fit)+len(f.Val))
	}
	return share / float64(len(s.Folds))
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
	tests   []report.PairedTest // of each study
	holding *holding
	all     []report.Result
}

// results are those of all ratios that were tried, as a study.
func (k *seeker) results() (*report.Study, error) {
	return k.grid.report(k.all, k.holding.options)
}

// seek finds the largest ratio without loss for one method and recovery of study i.
func (k *seeker) seek(ctx context.Context, i int, method, stage string) (report.Saving, error) {
	s := k.grid[i]
	row := report.Saving{Model: s.Config.Model, Method: method, Stage: stage, P: 1}
	low, high := 0, int(math.Floor(k.Most/k.Step+1e-9)) // in steps: none lost, and the first to try
	top := high
	for low < high {
		mid := (low + high + 1) / 2
		if high == top && len(row.Tried) == 0 {
			mid = high
		}
		// Of a short decimal, as a user would write it: 0.14, not 0.14000000000000001.
		ratio := math.Round(float64(mid)*k.Step*1e9) / 1e9
		whole, pruned, err := k.try(ctx, i, Pruning{method, ratio}, stage)
		if err != nil {
			return row, err
		}
		before, after := accuracies(whole), accuracies(pruned)
		loses, p, err := k.tests[i].Loses(before, after, k.Margin, k.Level)
		if err != nil {
			return row, err
		}
		row.Tried = append(row.Tried, report.Attempt{Ratio: ratio, MeanLoss: mean(before) - mean(after), P: p, Loses: loses})
		if loses {
			high = mid - 1
			if row.Accuracy == nil {
				row.WholeAccuracy, row.Accuracy, row.Whole, row.Size = before, before, whole[0].Size, whole[0].Size
			}
			continue
		}
		low = mid
		row.Ratio, row.P, row.WholeAccuracy, row.Accuracy = ratio, p, before, after
		row.Whole, row.Size = whole[0].Size, meanSize(pruned)
	}
	if row.Ratio == 0 {
		row.Note = "accuracy is lost at every ratio that was tried"
	}
	return row, nil
}

// try makes the networks of a ratio and returns their results by fold, and those of the
// unpruned ones.
func (k *seeker) try(ctx context.Context, i int, p Pruning, stage string) (whole, pruned []report.Result, err error) {
	s := *k.grid[i]
	s.Config.Prune, s.Config.Recover = []Pruning{p}, []string{stage}
	if stage == report.Pruned {
		s.Config.Recover = nil
	}
	// What is reported is about all that was tried.
	if asked := &k.grid[i].Config.Prune; !slices.Contains(*asked, p) {
		*asked = append(*asked, p)
	}
	results, err := k.holding.carryOut(ctx, Grid{&s}, k.grid)
	for _, r := range results {
		if !slices.ContainsFunc(k.all, func(o report.Result) bool { return o.Cell == r.Cell }) {
			k.all = append(k.all, r)
		}
		switch {
		case r.Stage == report.Unpruned:
			whole = append(whole, r)
		case r.Stage == stage && r.Method == p.Method && r.Ratio == p.Ratio:
			pruned = append(pruned, r)
		}
	}
	return whole, pruned, err
}

// measure times the networks that rows are about, of the first fold.
func (k *seeker) measure(ctx context.Context, rows []report.Saving) error {
	var about []report.Variant // of each row the unpruned network and the saving one
	for _, r := range rows {
		whole := report.Variant{Model: r.Model, Stage: report.Unpruned}
		saving := whole
		if r.Ratio > 0 {
			saving = report.Variant{Model: r.Model, Stage: r.Stage, Method: r.Method, Ratio: r.Ratio}
		}
		about = append(about, whole, saving)
	}
	measured := slices.DeleteFunc(slices.Clone(k.all), func(r report.Result) bool { return !slices.Contains(about, r.Variant) })
	speeds, err := k.grid.speeds(ctx, measured, k.holding.options.Dir)
	if err != nil {
		return err
	}
	of := map[report.Variant]report.Speed{}
	for _, s := range speeds {
		of[s.Variant] = s.Speed
	}
	for i := range rows {
		rows[i].WholeSpeed, rows[i].Speed = of[about[2*i]], of[about[2*i+1]]
	}
	return nil
}

func accuracies(results []report.Result) []float64 {
	var v []float64
	for _, r := range results {
		v = append(v, r.Test.Accuracy)
	}
	return v
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// meanSize is the mean over folds, which can differ in width.
func meanSize(results []report.Result) report.Size {
	var s report.Size
	for _, r := range results {
		s.Parameters += r.Size.Parameters
		s.MACs += r.Size.MACs
		s.FileBytes += r.Size.FileBytes
		s.NonzeroParameters += r.Size.NonzeroParameters
		s.NonzeroMACs += r.Size.NonzeroMACs
	}
	n := int64(len(results))
	return report.Size{Parameters: s.Parameters / n, MACs: s.MACs / n, FileBytes: s.FileBytes / n,
		NonzeroParameters: s.NonzeroParameters / n, NonzeroMACs: s.NonzeroMACs / n}
}
