package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/result"
)

func (c *Comparison) tables() []*table {
	all := []*table{c.table()}
	if t := c.pairsTable(); t != nil {
		all = append(all, t)
	}
	if t := c.largestTable(); t != nil {
		all = append(all, t)
	}
	return all
}

// table lays a comparison out with a row for each network, and one for each model's
// trivial baseline.
func (c *Comparison) table() *table {
	masked := slices.ContainsFunc(c.Rows, func(r ComparisonRow) bool { return r.Size.Masked() })
	lacking := slices.ContainsFunc(c.Rows, func(r ComparisonRow) bool { return r.Defined < r.Folds })
	tested := slices.ContainsFunc(c.Rows, func(r ComparisonRow) bool { return r.P != nil })
	t := &table{caption: fmt.Sprintf("Test %s and cost of pruned networks.", result.MetricTitle(c.Metric)),
		header: []string{"network", "method", "ratio", "stage"}, words: 4}
	left := ""
	if masked {
		left = "nonzero "
	}
	t.header = append(t.header, left+"parameters", left+"MACs", result.MetricTitle(c.Metric)+" %", "balanced, pooled %", "macro-F1, pooled %", "loss, points ["+c.judgement().confidence()+"]")
	if tested {
		t.header = append(t.header, "p", "p, Holm", "could show")
	}
	if lacking {
		t.header = append(t.header, "folds")
	}
	at := slices.Index(t.header, result.MetricTitle(c.Metric)+" %")
	whole := result.Size{}
	last := ComparisonRow{}
	for i, r := range c.Rows {
		if r.Model != last.Model {
			whole = result.Size{}
			if r.Stage == result.Unpruned {
				whole = r.Size
			}
		}
		line := []string{r.Model, methodText(r.Method, r.Methods), ratioText(r.Variant), r.Stage,
			count(r.Size.EffectiveParameters()) + saved(r.Size.EffectiveParameters(), whole.Parameters),
			count(r.Size.EffectiveMACs()) + saved(r.Size.EffectiveMACs(), whole.MACs),
			spreadText(r.Score, r.FoldSD), pooledText(r.Pooled, result.MetricBalanced), pooledText(r.Pooled, result.MetricF1), pointsText(r.Loss, r.LossLow, r.LossHigh)}
		if tested {
			could := ""
			if r.Detectable != nil {
				could = points1(*r.Detectable)
			}
			line = append(line, pText(r.P), pText(r.PHolm), could)
		}
		if lacking {
			line = append(line, fmt.Sprintf("%d of %d", r.Defined, r.Folds))
		}
		t.add(line...)
		row := &t.rows[len(t.rows)-1]
		row.apart = i > 0 && (r.Model != last.Model || r.Method != last.Method || r.Ratio != last.Ratio)
		row.cells[at].best, row.cells[at].worse = r.Best, r.Worse
		last = r
		if i+1 == len(c.Rows) || c.Rows[i+1].Model != r.Model {
			c.baselineRow(t, r.Model, at)
		}
	}
	c.footnotes(t)
	return t
}

// baselineRow adds the score of always predicting the commonest class.
func (c *Comparison) baselineRow(t *table, model string, at int) {
	i := slices.IndexFunc(c.Baselines, func(b Baseline) bool { return b.Model == model })
	if i < 0 {
		return
	}
	b := c.Baselines[i]
	line := make([]string, len(t.header))
	score := b.By(c.Metric)
	line[0], line[3], line[at], line[at+1], line[at+2] = model, trivialName, percent(&score), percent(&b.Balanced), percent(&b.MacroF1)
	t.add(line...)
	t.rows[len(t.rows)-1].apart = true
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

// footnotes explains the marks, and their limits.
func (c *Comparison) footnotes(t *table) {
	if slices.ContainsFunc(c.Rows, func(r ComparisonRow) bool { return r.Best }) {
		t.best = "the best recovery of a network among those of the same parameters and MACs"
	}
	t.note(c.means())
	references := "the unpruned network"
	if slices.ContainsFunc(c.Rows, func(r ComparisonRow) bool { return r.Reference == result.TrainedOn }) {
		references += " and, of a fine-tuned one, against the unpruned network that was trained on for as long as fine-tuning lasts (" + result.TrainedOn + ")"
	}
	t.note(fmt.Sprintf("Loss is the mean over folds of the difference in %s, in percentage points, against %s, with its %s interval.", result.MetricTitle(c.Metric), references, c.judgement().confidence()))
	if c.Tested > 0 {
		test := fmt.Sprintf("%v, paired over folds, one-sided, level %g", PairedTest{Name: c.Test}, c.Level)
		text := "significantly worse by " + test + ", Holm's correction over " + c.family()
		if slices.ContainsFunc(c.Rows, func(r ComparisonRow) bool { return r.Worse }) {
			t.worse = text + "."
		} else {
			t.note("No network is " + text + ". That is not to say that they lose nothing.")
		}
		if slices.ContainsFunc(c.Rows, func(r ComparisonRow) bool { return r.Detectable != nil }) {
			t.note(fmt.Sprintf("Could show: the smallest true loss in points that this test shows with a power of %.0f %% if folds are spread as these are, at level %.2g, the strictest that Holm's correction asks for here; of networks that nothing was removed from, uncorrected.",
				100*Power, c.Level/float64(c.Tested)))
		}
	}
	if c.Untested != "" {
		t.note("Significance is not marked where it can't be tested: " + c.Untested + ".")
	}
	if alike := c.alike(); alike != "" {
		t.note("Not tested: " + alike + ".")
	}
	t.note(c.shared())
	if len(c.Lacks) > 0 {
		t.note("Old results: " + strings.Join(c.Lacks, "; ") + ".")
	}
	t.note(c.Leak)
}

// alike lists the networks that were not tested though the folds are enough, and why.
func (c *Comparison) alike() string {
	var names []string
	why := ""
	for _, r := range c.Rows {
		if r.Untested != "" {
			why = r.Untested
			names = append(names, strings.Join(strings.Fields(r.Model+" "+r.Method+" "+ratioText(r.Variant)+" "+r.Stage), " "))
		}
	}
	if why == "" {
		return ""
	}
	return strings.Join(names, ", ") + " (" + why + ")"
}

// means says which folds, seeds or subjects the scores are means over.
func (c *Comparison) means() string {
	var folds []int
	seeds := 0
	var overSeeds, overSubjects []string
	for _, r := range c.Rows {
		folds = append(folds, r.Folds)
		seeds = max(seeds, r.Seeds)
		if r.Stage == result.Unpruned && r.SeedSD != nil {
			overSeeds = append(overSeeds, fmt.Sprintf("%s %.1f", r.Model, 100**r.SeedSD))
		}
		if r.Stage == result.Unpruned && r.SubjSD != nil {
			overSubjects = append(overSubjects, fmt.Sprintf("%s %.1f", r.Model, 100**r.SubjSD))
		}
	}
	text := capital(result.MetricTitle(c.Metric)) + " is mean ± standard deviation over " + foldsText(folds)
	if seeds > 1 {
		text += fmt.Sprintf(" of %d seeds, within seeds (the root of the mean of their variances); over seeds it is, of the unpruned network, %s points", seeds, strings.Join(overSeeds, ", "))
	}
	if c.SharedFolds {
		text += "; seeds test on the same folds, so that tests are of means over seeds, one for each fold"
	}
	if len(overSubjects) > 0 {
		text += "; over subjects it is, of the unpruned network, " + strings.Join(overSubjects, ", ") + " points"
	}
	text += ". Pooled scores are of the clips of all folds together. " + trivialMeans
	if slices.ContainsFunc(c.Rows, func(r ComparisonRow) bool { return r.Defined < r.Folds }) {
		text += " Folds that lack a class have no " + result.MetricTitle(c.Metric) + " and are in neither the mean nor the test."
	}
	return text
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (c *Comparison) shared() string {
	if !slices.ContainsFunc(c.Rows, func(r ComparisonRow) bool { return len(r.Methods) > 1 }) {
		return ""
	}
	return sharedText
}

// pairsTable sets scratch against fine-tuned, last over all; nil where there is no pair.
func (c *Comparison) pairsTable() *table {
	if c.Overall == nil {
		return nil
	}
	t := &table{caption: "Scratch against fine-tuned.", words: 3,
		header: []string{"network", "method", "ratio", "folds", "gain, points [" + c.judgement().confidence() + "]", "p", "p, Holm"}}
	for i, r := range c.Pairs {
		t.add(r.Model, methodText(r.Method, r.Methods), strconv.FormatFloat(r.Ratio, 'g', 4, 64), strconv.Itoa(r.Folds), pointsText(r.Gain, r.Low, r.High), pText(r.P), pText(r.PHolm))
		t.rows[i].apart = i > 0 && r.Model != c.Pairs[i-1].Model
	}
	o := c.Overall
	t.add("all", "", "", strconv.Itoa(o.Folds), pointsText(o.Gain, o.Low, o.High), pText(o.P), "")
	t.rows[len(t.rows)-1].apart = true
	text := fmt.Sprintf("Gain is the %s of the network trained from scratch less that of the fine-tuned one; two-sided, %v, Holm's correction over the pairs (%d). Over all: the gain of a fold is its mean over the pairs, and these are tested once",
		result.MetricTitle(c.Metric), PairedTest{Name: c.Test}, o.Pairs)
	if o.Reason != "" {
		text += " where they can be: " + o.Reason
	}
	t.note(fmt.Sprintf("%s. Scratch is better in mean in %d of %d pairs, worse in %d.", text, o.Better, o.Pairs, o.Worse))
	if slices.ContainsFunc(c.Pairs, func(r RecoveryPair) bool { return len(r.Methods) > 1 }) {
		t.note("A network from scratch that is that of several methods is set against the mean of their fine-tuned ones.")
	}
	t.note(c.Leak)
	return t
}

// overallTable is the last row of pairsTable by itself.
func (c *Comparison) overallTable() *table {
	t := c.pairsTable()
	if t == nil {
		return nil
	}
	row := t.rows[len(t.rows)-1].cells
	return &table{caption: fmt.Sprintf("Scratch against fine-tuned, over all %d pairs.", c.Overall.Pairs), header: []string{"folds", t.header[4], "p"},
		rows: []tableRow{{cells: []cell{row[3], row[4], row[5]}}}, notes: t.notes}
}

func (c *Comparison) largestTested() int {
	n := 0
	for _, l := range c.Largest {
		if l.Reason == "" {
			n++
		}
	}
	return n
}

// largestTable lists the largest savings without loss; nil where nothing was recovered.
func (c *Comparison) largestTable() *table {
	if len(c.Largest) == 0 {
		return nil
	}
	t := &table{caption: "The largest saving without loss.", words: 4,
		header: []string{"network", "method", "ratio", "stage", "parameters saved", "MACs saved", "validation loss, points", "test loss, points", "bound", "p, Holm", "without loss"}}
	for _, l := range c.Largest {
		if l.Validation.Loss == nil {
			line := make([]string, len(t.header))
			line[0], line[3], line[len(line)-1] = l.Model, "none", "not shown"
			t.add(line...)
			t.note(l.Model + ": " + l.Reason + ".")
			continue
		}
		ratio := ratioText(l.Variant)
		if n := len(l.Ratios); n > 0 {
			if ratio = fmt.Sprintf("%g", slices.Min(l.Ratios)); slices.Min(l.Ratios) < slices.Max(l.Ratios) {
				ratio += fmt.Sprintf(" to %g", slices.Max(l.Ratios))
			}
		}
		if len(l.Chosen) > 0 {
			t.note(l.Model + ", chosen by the folds: " + l.chosen() + ".")
		}
		var p *float64
		if l.Reason == "" {
			p = number(l.PHolm)
		} else {
			t.note(l.Model + ": " + l.Reason + ".")
		}
		t.add(l.Model, methodText(l.Method, l.Methods), ratio, l.Stage, fmt.Sprintf("%.1f %%", 100*l.Parameters), fmt.Sprintf("%.1f %%", 100*l.MACs),
			pointsText(l.Validation.Loss, nil, nil), pointsText(l.Test.Loss, nil, nil), pointsText(l.Test.Bound, nil, nil), pText(p), verdict(l.Without, l.PTrivial, c.Level))
	}
	j := c.judgement()
	choice := "Of the recovered networks that show it on the validation clips the one that saves the most MACs is chosen"
	if slices.ContainsFunc(c.Largest, func(l Largest) bool { return len(l.Ratios) > 0 }) {
		choice = "Each outer fold chooses, of the recovered networks whose mean loss on its inner folds is at most the margin, the one that saves the most MACs"
	}
	holm := ""
	if n := c.largestTested(); n > 1 {
		holm = fmt.Sprintf("; Holm's correction is over the %d networks of this table that were tested", n)
	}
	t.note(fmt.Sprintf("Without loss: %s below that of the reference by less than %.3g points, shown by non-inferiority (%v, one-sided, level %g). %s, and tested once on the test clips%s. Bound is the upper end of the one-sided %s interval of the loss.",
		result.MetricTitle(c.Metric), 100*j.Margin, PairedTest{Name: j.Test}, j.Level, choice, holm, j.confidence()))
	if slices.ContainsFunc(t.rows, func(r tableRow) bool { return r.cells[len(r.cells)-1].text == nothingToLose }) {
		t.note(nothingMeans)
	}
	if slices.ContainsFunc(c.Largest, func(l Largest) bool { return l.Masked }) {
		t.note("Of masked networks what is saved are weights that are zero, and their MACs: the network is as large and as slow as before.")
	}
	t.note(c.Leak)
	return t
}
