package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/eegprune/eegprune/result"
)

// A Comparison is the paper's table, network by method by ratio, as numbers, and the
// tests of the paper's two claims.
type Comparison struct {
	Schema   int              `json:"schema"`
	Settings []result.Setting `json:"settings"`
	Leak     string           `json:"leak,omitempty"`
	Leaks    []string         `json:"leaks,omitempty"` // see Study
	Lacks    []string         `json:"lacks,omitempty"` // fields that results of an earlier version do not hold
	Metric   string           `json:"metric"`          // that networks are judged by, see Study
	// Test judges every network against its reference, paired over the folds, one-sided, at
	// Level; intervals are two-sided, of 1 - Level.
	Test   string  `json:"test"`
	Level  float64 `json:"level"`
	Margin float64 `json:"margin"` // see Judgement
	// Tested is how many such tests of pruned networks were made: the family over which Holm
	// corrects p.
	Tested int `json:"tested"`
	// SharedFolds is whether all seeds test on the same folds: then tests are of means over
	// seeds, one for each fold.
	SharedFolds bool `json:"seeds_share_folds,omitempty"`
	// Untested says why networks have no p where folds are too few or not a number.
	Untested  string          `json:"untested,omitempty"`
	Rows      []ComparisonRow `json:"rows"`
	Baselines []Baseline      `json:"baselines,omitempty"`
	// Pairs sets training from scratch against fine-tuning, once for each network that was
	// trained from scratch. Overall does so over all of them.
	Pairs   []RecoveryPair `json:"scratch_against_fine_tuned,omitempty"`
	Overall *Overall       `json:"scratch_against_fine_tuned_overall,omitempty"`
	// Largest is the largest saving without loss, one for each model.
	Largest []Largest `json:"largest_saving,omitempty"`
}

// A ComparisonRow is one network over the folds. Scores are shares of 1. Numbers that can't be
// computed, such as the spread of one fold, are nil.
type ComparisonRow struct {
	result.Variant
	// Methods are the methods that share this network, where there are several.
	Methods []string `json:"methods,omitempty"`
	Folds   int      `json:"folds"`           // of all seeds
	Seeds   int      `json:"seeds,omitempty"` // where there are several
	// Defined is on how many of Folds the metric is defined: those that test on clips of
	// every class, where it is a mean over classes. Score is the mean over those.
	Defined  int      `json:"defined"`
	Score    *float64 `json:"score"`
	FoldSD   *float64 `json:"fold_sd"`              // over the folds of a seed; of several seeds the root of the mean variance
	SeedSD   *float64 `json:"seed_sd,omitempty"`    // over seeds, of means over folds
	SubjSD   *float64 `json:"subject_sd,omitempty"` // over subjects, each one's clips of all folds together
	Accuracy *float64 `json:"accuracy"`             // mean over folds
	MacroF1  *float64 `json:"macro_f1"`             // mean over the folds in which it is defined
	Balanced *float64 `json:"balanced_accuracy"`    // likewise
	// OfClasses is on how many of Folds these two are defined.
	OfClasses int            `json:"folds_with_all_classes"`
	Pooled    *result.Pooled `json:"pooled,omitempty"` // of the clips of all folds together
	Size      result.Size    `json:"size"`             // mean over folds

	Reference string   `json:"reference,omitempty"` // stage of the network it is judged against
	TestShare float64  `json:"test_share,omitempty"`
	Loss      *float64 `json:"loss"` // mean over folds of the reference's score less this one's
	LossLow   *float64 `json:"loss_low"`
	LossHigh  *float64 `json:"loss_high"`
	P         *float64 `json:"p"`                  // of the alternative that it is worse than its reference
	Untested  string   `json:"untested,omitempty"` // why there is no p though the folds are enough
	PHolm     *float64 `json:"p_holm"`             // corrected for the family; nil of controls, which are not in it
	// Detectable is the smallest true loss that is shown with power 0.8 at the strictest level
	// that Holm's correction can ask for: the comparison's over Tested, a control's as it is.
	Detectable *float64 `json:"detectable,omitempty"`
	Worse      bool     `json:"worse"` // p_holm is at most the level
	Best       bool     `json:"best"`  // of all recoveries of the model of one cost
}

// A Baseline is the score of always predicting the commonest class on a model's test clips.
type Baseline struct {
	Model string `json:"model"`
	result.Pooled
}

// NewComparison computes the table of a study. It fails where the judgement can't be used
// with any number of folds; with too few for this level it has no p and says so.
func NewComparison(s *result.Study, j Judgement) (*Comparison, error) {
	if err := j.Check(); err != nil {
		return nil, err
	}
	c := &Comparison{Schema: result.Schema, Settings: s.Settings, Leak: s.Leak, Leaks: s.Leaks, Lacks: s.Lacks, Metric: s.JudgedBy(),
		Test: j.Test, Level: j.Level, Margin: j.Margin}
	all := distinct(groups(s))
	c.SharedFolds = sharedFolds(resultsOf(all)) != nil
	paired := make([][2][]float64, len(all)) // of each row: the scores that were tested
	for i, g := range all {
		row := rowOf(g, c.Metric)
		if g.Stage != result.Unpruned {
			paired[i] = c.judge(&row, all, g, j, s.Config)
		}
		c.Rows = append(c.Rows, row)
		if n := len(c.Baselines); n == 0 || c.Baselines[n-1].Model != g.Model {
			if b, ok := baselineOf(g); ok {
				c.Baselines = append(c.Baselines, b)
			}
		}
	}
	c.detectable(j, paired)
	c.holm()
	c.markBest()
	c.pairRecoveries(groups(s), all, j, s.Config)
	c.Largest = largest(all, c.Metric, j, s.Config)
	return c, nil
}

func rowOf(g group, metric string) ComparisonRow {
	score := spreadOver(g.results, onTest(metric))
	accuracy, f1 := spreadOver(g.results, onTest(result.MetricAccuracy)), spreadOver(g.results, onTest(result.MetricF1))
	row := ComparisonRow{Variant: g.Variant, Methods: g.methods, Folds: score.units, Defined: score.defined,
		Score: number(score.mean), FoldSD: number(score.folds), SeedSD: number(score.seeds), SubjSD: number(spreadOfSubjects(g.results, metric)),
		Accuracy: number(accuracy.mean), MacroF1: number(f1.mean), OfClasses: f1.defined,
		Balanced: number(spreadOver(g.results, onTest(result.MetricBalanced)).mean), Size: meanSize(g.results)}
	if n := seedsOf(g.results); n > 1 {
		row.Seeds = n
	}
	if p, ok := pooledOf(g.results); ok {
		row.Pooled = &p
	}
	return row
}

// baselineOf is of the clips that a network was tested on.
func baselineOf(g group) (Baseline, bool) {
	c := confusionOf(g.results)
	if c == nil {
		return Baseline{}, false
	}
	p := result.Pool(result.TrivialConfusion(c))
	p.Clips /= seedsOf(g.results)
	return Baseline{g.Model, p}, p.Clips > 0
}

// judge sets a network against its reference, and returns the scores of both.
func (c *Comparison) judge(row *ComparisonRow, all []group, g group, j Judgement, config json.RawMessage) (scores [2][]float64) {
	reference, _ := referenceOf(all, g.Variant)
	x, y, _ := pairs(reference.results, g.results, onTest(c.Metric))
	if len(x) == 0 {
		c.Untested = fmt.Sprintf("there is no unpruned %s on the same folds", g.Model)
		return scores
	}
	row.Reference, row.TestShare = reference.Stage, testShare(g.results, config)
	row.Loss = number(lossOf(x, y).Mean)
	test := j.on(row.TestShare)
	err := test.Enough(len(x), c.Level)
	p := math.NaN()
	if err == nil {
		p, err = test.Worse(x, y)
	}
	switch {
	case errors.Is(err, ErrAlike):
		row.Untested = err.Error()
		return scores
	case err != nil:
		c.Untested = err.Error()
		return scores
	}
	if !result.StageOf(g.Stage).Control() {
		c.Tested++
	}
	row.P = number(p)
	row.LossLow, row.LossHigh = j.interval(row.TestShare, x, y)
	return [2][]float64{x, y}
}

// detectable says of each row that was tested which loss could have been seen.
func (c *Comparison) detectable(j Judgement, paired [][2][]float64) {
	shifts := map[[2]float64]float64{} // thousands of rows have a few degrees of freedom between them
	shift := func(df, level float64) float64 {
		key := [2]float64{df, level}
		if _, known := shifts[key]; !known {
			shifts[key] = detectable(df, level)
		}
		return shifts[key]
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		level := c.Level
		if !result.StageOf(r.Stage).Control() {
			level /= float64(max(1, c.Tested))
		}
		if r.P == nil {
			continue
		}
		if loss, err := j.on(r.TestShare).detectable(paired[i][0], paired[i][1], level, shift); err == nil {
			r.Detectable = number(loss)
		}
	}
}

// holm corrects p over all networks that were tested, but for controls: how these do against
// the unpruned one is no question of the table's.
func (c *Comparison) holm() {
	p := make([]*float64, len(c.Rows))
	for i, r := range c.Rows {
		if !result.StageOf(r.Stage).Control() {
			p[i] = r.P
		}
	}
	for i, corrected := range holmOf(p) {
		c.Rows[i].PHolm, c.Rows[i].Worse = corrected, corrected != nil && *corrected <= c.Level
	}
}

// family describes the tests that Holm's correction covers.
func (c *Comparison) family() string {
	if c.Tested == 1 {
		return "the one test of this table, of the network that was pruned against its reference"
	}
	return fmt.Sprintf("the %d tests of this table, of each network that was pruned against its reference", c.Tested)
}

// A cost is shared by the networks of which one may be called the best.
type cost struct {
	model            string
	parameters, macs int64
	masked           bool
}

func (r ComparisonRow) cost() cost {
	return cost{r.Model, r.Size.EffectiveParameters(), r.Size.EffectiveMACs(), r.Size.Masked()}
}

func (c *Comparison) markBest() {
	best, several := map[cost]float64{}, map[cost]int{}
	candidate := func(r ComparisonRow) bool { return r.Score != nil && result.StageOf(r.Stage).Recovered }
	for _, r := range c.Rows {
		if candidate(r) {
			several[r.cost()]++
			if v, ok := best[r.cost()]; !ok || *r.Score > v {
				best[r.cost()] = *r.Score
			}
		}
	}
	for i, r := range c.Rows {
		c.Rows[i].Best = candidate(r) && several[r.cost()] > 1 && *r.Score >= best[r.cost()]-rounding
	}
}

// number is nil for NaN and infinity, which JSON can't write.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Compare writes the comparison in one of [Formats]. CSV has a line for each network and
// repeats test, level and leak in it; the other formats end with the tests of the
// paper's two claims.
func Compare(w io.Writer, s *result.Study, j Judgement, format string) error {
	if err := CheckFormat(format); err != nil {
		return err
	}
	c, err := NewComparison(s, j)
	if err != nil {
		return err
	}
	return c.Write(w, format)
}

// Write writes a comparison in one of [Formats].
func (c *Comparison) Write(w io.Writer, format string) error {
	if format == FormatText {
		for _, l := range c.Leaks {
			fmt.Fprintf(w, "LEAK: %s\n", l)
		}
		for _, l := range c.Lacks {
			fmt.Fprintf(w, "old results: %s\n", l)
		}
	}
	return writeAnalysis(w, format, c, len(c.Rows))
}

// judgement is that by which the comparison was made.
func (c *Comparison) judgement() Judgement {
	return Judgement{Test: c.Test, Level: c.Level, Margin: c.Margin}
}

// An analysis of results has a form for each format.
type analysis interface {
	csv(w io.Writer) error
	tables() []*table
}

// writeAnalysis writes an analysis, which has that many rows.
func writeAnalysis(w io.Writer, format string, v analysis, rows int) error {
	switch {
	case format == FormatJSON:
		return encode(w, v)
	case format == FormatCSV:
		return v.csv(w)
	case rows == 0:
		_, err := fmt.Fprintln(w, noResults)
		return err
	}
	return writeTables(w, v.tables(), format)
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
