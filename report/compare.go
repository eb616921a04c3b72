package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// A Comparison is the paper's table of accuracies, network by method by ratio, as
// numbers.
type Comparison struct {
	Schema   int       `json:"schema"`
	Settings []Setting `json:"settings"`
	Leak     string    `json:"leak,omitempty"`
	// Test judges every network against the unpruned one of its model, paired over the
	// folds, one-sided, at Level.
	Test      string  `json:"test"`
	TestShare float64 `json:"test_share,omitempty"` // see PairedTest
	Level     float64 `json:"level"`
	// Tested is how many such tests were made. Their p values are not corrected for it.
	Tested int `json:"tested"`
	// Untested says why networks have no p where folds are too few or not a number.
	Untested string          `json:"untested,omitempty"`
	Rows     []ComparisonRow `json:"rows"`
	// Recoveries sets training from scratch against fine-tuning, once for each pruned
	// network that has both.
	Recoveries []RecoveryPair `json:"scratch_against_fine_tuned,omitempty"`
}

// A ComparisonRow is one network over the folds. Scores are shares of 1. What can't be
// computed, such as the spread of one fold, is nil.
type ComparisonRow struct {
	Variant
	Folds      int      `json:"folds"`
	Accuracy   *float64 `json:"accuracy"`
	AccuracySD *float64 `json:"accuracy_sd"`
	MacroF1    *float64 `json:"macro_f1"`
	MacroF1SD  *float64 `json:"macro_f1_sd"`
	Majority   *float64 `json:"majority"` // accuracy of always naming the commonest class
	Loss       *float64 `json:"loss"`     // mean over folds of the unpruned network's accuracy less this one's
	P          *float64 `json:"p"`        // of the alternative that the network is worse than unpruned
	Worse      bool     `json:"worse"`    // p is at most the level
	Best       bool     `json:"best"`     // of all recoveries of the model at this ratio
}

// A RecoveryPair is how much better training a pruned network from scratch is than
// fine-tuning it.
type RecoveryPair struct {
	Model  string   `json:"model"`
	Method string   `json:"method"`
	Ratio  float64  `json:"ratio"`
	Gain   *float64 `json:"gain"` // mean over folds of accuracy from scratch less fine-tuned
	P      *float64 `json:"p"`    // two-sided
}

// NewComparison computes the table of a study. It fails where the test or the level
// can't be used with any number of folds; with too few for this level it has no p and
// says so.
func NewComparison(s *Study, test PairedTest, level float64) (*Comparison, error) {
	if err := test.Enough(math.MaxInt16, level); err != nil {
		return nil, err
	}
	c := &Comparison{Schema: Schema, Settings: s.Settings, Leak: s.Leak, Test: test.Name, Level: level}
	if test.Name == CorrectedT {
		c.TestShare = test.TestShare
	}
	all := groups(s)
	for _, g := range all {
		of := g.results
		accuracy, f1 := spread(of, func(r Result) float64 { return r.Test.Accuracy }), spread(of, func(r Result) float64 { return r.Test.MacroF1 })
		majority := spread(of, func(r Result) float64 { return r.Test.Majority })
		row := ComparisonRow{Variant: g.Variant, Folds: len(of), Accuracy: number(accuracy.Mean), AccuracySD: number(accuracy.SD),
			MacroF1: number(f1.Mean), MacroF1SD: number(f1.SD), Majority: number(majority.Mean)}
		if g.Stage != Unpruned {
			whole, _ := unprunedOf(all, g.Model)
			c.judge(&row, whole, g, test)
		}
		c.Rows = append(c.Rows, row)
	}
	c.markBest()
	c.pairRecoveries(all, test)
	return c, nil
}

// judge sets a network against the unpruned one.
func (c *Comparison) judge(row *ComparisonRow, whole, g group, test PairedTest) {
	x, y := pairs(whole.results, g.results)
	if len(x) == 0 {
		c.Untested = fmt.Sprintf("there is no unpruned %s on the same folds", g.Model)
		return
	}
	row.Loss = number(spreadOf(x).Mean - spreadOf(y).Mean)
	err := test.Enough(len(x), c.Level)
	p := math.NaN()
	if err == nil {
		p, err = test.Worse(x, y)
	}
	if err != nil {
		c.Untested = err.Error()
		return
	}
	c.Tested++
	row.P, row.Worse = number(p), p <= c.Level
}

// recoveries are the stages of which one is marked as best. The uniform network is a
// control, no recovery.
func recoveries() []string { return []string{FineTuned, Scratch, ScratchB} }

func (c *Comparison) markBest() {
	type at struct {
		model string
		ratio float64
	}
	best := map[at]float64{}
	candidate := func(r ComparisonRow) bool { return r.Accuracy != nil && slices.Contains(recoveries(), r.Stage) }
	several := map[at]int{}
	for _, r := range c.Rows {
		if candidate(r) {
			k := at{r.Model, r.Ratio}
			several[k]++
			if v, ok := best[k]; !ok || *r.Accuracy > v {
				best[k] = *r.Accuracy
			}
		}
	}
	for i, r := range c.Rows {
		k := at{r.Model, r.Ratio}
		c.Rows[i].Best = candidate(r) && several[k] > 1 && *r.Accuracy >= best[k]-rounding
	}
}

func (c *Comparison) pairRecoveries(all []group, test PairedTest) {
	for _, g := range all {
		if g.Stage != Scratch {
			continue
		}
		v := g.Variant
		v.Stage = FineTuned
		i := slices.IndexFunc(all, func(o group) bool { return o.Variant == v })
		if i < 0 {
			continue
		}
		tuned, scratch := pairs(all[i].results, g.results)
		if len(tuned) == 0 {
			continue
		}
		pair := RecoveryPair{Model: v.Model, Method: v.Method, Ratio: v.Ratio, Gain: number(spreadOf(scratch).Mean - spreadOf(tuned).Mean)}
		if p, err := test.Differs(scratch, tuned); err == nil {
			pair.P = number(p)
		}
		c.Recoveries = append(c.Recoveries, pair)
	}
}

// number is nil for what is none: JSON has no NaN.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Compare writes the table of accuracies in one of [Formats]. CSV has a line for each
// network and repeats test, level and leak in it; the other formats have a row for
// each network, method and ratio.
func Compare(w io.Writer, s *Study, test PairedTest, level float64, format string) error {
	if err := CheckFormat(format); err != nil {
		return err
	}
	c, err := NewComparison(s, test, level)
	if err != nil {
		return err
	}
	return c.Write(w, format)
}

// Write writes a comparison in one of [Formats].
func (c *Comparison) Write(w io.Writer, format string) error {
	return writeAnalysis(w, format, c, len(c.Rows))
}

// An analysis is what is made of results, with a form for each format.
type analysis interface {
	csv(w io.Writer) error
	table() *table
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
	return v.table().write(w, format)
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (c *Comparison) csv(w io.Writer) error {
	lines := [][]string{{"model", "method", "ratio", "stage", "folds", "accuracy", "accuracy_sd", "macro_f1", "macro_f1_sd", "majority",
		"loss", "p", "worse", "best", "test", "level", "leak"}}
	value := func(v *float64) string {
		if v == nil {
			return ""
		}
		return float(*v)
	}
	for _, r := range c.Rows {
		lines = append(lines, []string{r.Model, r.Method, float(r.Ratio), r.Stage, strconv.Itoa(r.Folds), value(r.Accuracy), value(r.AccuracySD),
			value(r.MacroF1), value(r.MacroF1SD), value(r.Majority), value(r.Loss), value(r.P), strconv.FormatBool(r.Worse),
			strconv.FormatBool(r.Best), c.Test, float(c.Level), c.Leak})
	}
	return csv.NewWriter(w).WriteAll(lines)
}
