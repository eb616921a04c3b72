package report

import (
	"fmt"
	"slices"
)

// table lays a comparison out with a row for each network, method and ratio and two
// columns, accuracy and macro-F1, for each stage.
func (c *Comparison) table() *table {
	var stages []string
	var folds []int
	for _, r := range c.Rows {
		stages = append(stages, r.Stage)
		folds = append(folds, r.Folds)
	}
	slices.SortFunc(stages, func(a, b string) int { return place(a) - place(b) })
	stages = slices.Compact(stages)

	t := &table{caption: "Test accuracy and macro-F1 of pruned networks in %.",
		header: []string{"network", "method", "ratio"}, words: 3}
	for _, s := range stages {
		t.header = append(t.header, s+" %", "F1 %")
	}
	t.header = append(t.header, "majority %")
	last := Variant{}
	for i, r := range c.Rows {
		// A row of the table is a run of rows that differ in stage only.
		of := Variant{Model: r.Model, Method: r.Method, Ratio: r.Ratio}
		if i == 0 || of != last {
			cells := make([]cell, len(t.header))
			cells[0].text, cells[1].text, cells[2].text = r.Model, r.Method, ratioText(r.Variant)
			cells[len(cells)-1].text = percent(r.Majority)
			t.rows = append(t.rows, tableRow{cells: cells, apart: i > 0 && r.Model != last.Model})
			last = of
		}
		at := t.words + 2*slices.Index(stages, r.Stage)
		cells := t.rows[len(t.rows)-1].cells
		cells[at] = cell{text: spreadText(r.Accuracy, r.AccuracySD), best: r.Best, worse: r.Worse}
		cells[at+1].text = percent(r.MacroF1)
	}
	c.footnotes(t, folds)
	return t
}

func percent(v *float64) string {
	if v == nil {
		return "NaN"
	}
	return fmt.Sprintf("%.1f", 100**v)
}

func spreadText(mean, sd *float64) string {
	if sd == nil {
		return percent(mean)
	}
	return percent(mean) + " ± " + percent(sd)
}

// foldsText says over how many folds networks were tested.
func foldsText(folds []int) string {
	switch few, many := slices.Min(folds), slices.Max(folds); {
	case few < many:
		return fmt.Sprintf("%d to %d folds", few, many)
	case many == 1:
		return "1 fold, which says nothing of the spread"
	default:
		return fmt.Sprintf("%d folds", many)
	}
}

// footnotes says what marks mean, and what they don't.
func (c *Comparison) footnotes(t *table, folds []int) {
	if slices.ContainsFunc(c.Rows, func(r ComparisonRow) bool { return r.Best }) {
		t.best = "the best recovery of a network at that ratio, over all methods"
	}
	test := PairedTest{Name: c.Test}
	t.note("Accuracy is mean ± standard deviation over " + foldsText(folds) +
		"; F1 is macro-F1; majority is the accuracy of always naming the commonest class.")
	if c.Tested > 0 {
		text := fmt.Sprintf("significantly worse than the unpruned network: %v, paired over folds, one-sided, level %g", test, c.Level)
		if slices.ContainsFunc(c.Rows, func(r ComparisonRow) bool { return r.Worse }) {
			t.worse = text + ". " + c.corrected()
		} else {
			t.note("No network is " + text + ". That is not to say that they lose nothing. " + c.corrected())
		}
	}
	if c.Untested != "" {
		t.note("Significance is not marked where it can't be tested: " + c.Untested + ".")
	}
	t.note(c.scratchText())
	t.note(c.Leak)
}

func (c *Comparison) corrected() string {
	if c.Tested == 1 {
		return "One comparison was made."
	}
	return fmt.Sprintf("p values are not corrected for the %d comparisons made: if nothing lost accuracy, up to %.2g marks would be by chance.",
		c.Tested, float64(c.Tested)*c.Level)
}

// scratchText answers the paper's question, whether training from scratch does as well
// as fine-tuning.
func (c *Comparison) scratchText() string {
	if len(c.Recoveries) == 0 {
		return ""
	}
	var better, worse, clearlyBetter, clearlyWorse, tested int
	for _, r := range c.Recoveries {
		clear := r.P != nil && *r.P <= c.Level
		if r.P != nil {
			tested++
		}
		switch {
		case r.Gain == nil:
		case *r.Gain > rounding:
			better++
			if clear {
				clearlyBetter++
			}
		case *r.Gain < -rounding:
			worse++
			if clear {
				clearlyWorse++
			}
		}
	}
	text := fmt.Sprintf("Scratch against fine-tuned: better in mean in %d of %d, worse in %d", better, len(c.Recoveries), worse)
	if err := (PairedTest{Name: c.Test, TestShare: c.TestShare}).Enough(c.fewest(), c.Level/2); err == nil && tested > 0 {
		text += fmt.Sprintf("; significantly (two-sided, level %g) better in %d, worse in %d", c.Level, clearlyBetter, clearlyWorse)
	}
	return text + "."
}

func (c *Comparison) fewest() int {
	fewest := c.Rows[0].Folds
	for _, r := range c.Rows {
		fewest = min(fewest, r.Folds)
	}
	return fewest
}
