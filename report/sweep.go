package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/result"
)

// A sweep is how the networks of a model and method do at each ratio.
type sweep struct {
	model, method string
	whole         group   // unpruned
	pruned        []group // in order of ratio, then stage
}

// sweeps returns the pruned networks of each model and method, for those that were
// pruned at some ratio.
func sweeps(s *result.Study) []sweep {
	all := groups(s)
	var sweeps []sweep
	for _, g := range all {
		if result.StageOf(g.Stage).Whole {
			continue
		}
		if n := len(sweeps); n == 0 || sweeps[n-1].model != g.Model || sweeps[n-1].method != g.Method {
			whole, _ := unprunedOf(all, g.Model)
			sweeps = append(sweeps, sweep{model: g.Model, method: g.Method, whole: whole})
		}
		last := &sweeps[len(sweeps)-1]
		last.pruned = append(last.pruned, g)
	}
	return sweeps
}

// ratios returns the ratios of a sweep in order.
func (c sweep) ratios() []float64 {
	var r []float64
	for _, g := range c.pruned {
		r = append(r, g.Ratio)
	}
	return slices.Compact(r)
}

// at returns the networks at a ratio.
func (c sweep) at(ratio float64) []group {
	var at []group
	for _, g := range c.pruned {
		if g.Ratio == ratio {
			at = append(at, g)
		}
	}
	return at
}

// Sweep writes a table of accuracy by ratio for each model and method of a study, in
// text, Markdown or LaTeX. Its numbers are those of [Compare] in CSV or JSON.
func Sweep(w io.Writer, s *result.Study, format string) error {
	var tables []*table
	for _, c := range sweeps(s) {
		tables = append(tables, c.table(s))
	}
	if len(tables) == 0 {
		_, err := fmt.Fprintln(w, noResults)
		return err
	}
	return writeTables(w, tables, format)
}

// writeTables writes tables one under the other, each under its caption, which LaTeX has
// within.
func writeTables(w io.Writer, tables []*table, format string) error {
	for i, t := range tables {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if format != FormatLaTeX && len(tables) > 1 {
			if _, err := fmt.Fprintf(w, "%s\n\n", t.caption); err != nil {
				return err
			}
		}
		if err := t.write(w, format); err != nil {
			return err
		}
	}
	return nil
}

func (c sweep) table(s *result.Study) *table {
	stages := stagesOf(c.pruned)
	metric := s.JudgedBy()
	var folds []int
	masked := false
	for _, g := range c.pruned {
		folds = append(folds, spreadOver(g.results, onTest(metric)).units)
		masked = masked || g.results[0].Size.Masked()
	}
	kind := ""
	if masked {
		kind = "nonzero "
	}
	t := &table{caption: fmt.Sprintf("%s pruned by %s: test %s in %% by ratio.", c.model, c.method, result.MetricTitle(metric)),
		header: []string{"ratio", result.Unpruned}, words: 1}
	t.header = append(append(t.header, stages...), kind+"parameters", kind+"MACs")
	whole := ""
	if len(c.whole.results) > 0 {
		whole = scoreOf(c.whole, metric).percent()
	}
	for _, ratio := range c.ratios() {
		at := c.at(ratio)
		line := []string{ratioText(at[0].Variant), whole}
		for _, stage := range stages {
			text := ""
			if i := slices.IndexFunc(at, func(g group) bool { return g.Stage == stage }); i >= 0 {
				text = scoreOf(at[i], metric).percent()
			}
			line = append(line, text)
		}
		parameters, macs := c.left(at[0])
		t.add(append(line, parameters, macs)...)
	}
	if b, ok := baselineOf(c.pruned[0]); ok {
		line := make([]string, len(t.header))
		v := b.By(metric)
		line[0], line[1] = trivialName, percent(&v)
		t.add(line...)
		t.rows[len(t.rows)-1].apart = true
	}
	t.note("Mean ± standard deviation over " + foldsText(folds) + ". Parameters and MACs are what is left of the unpruned network's. " + trivialMeans +
		" Intervals and tests are in the comparison.")
	t.note(s.Leak)
	return t
}

func scoreOf(g group, metric string) Spread {
	v := spreadOver(g.results, onTest(metric))
	return Spread{v.mean, v.folds}
}

// left writes which share of parameters and MACs a network has of the unpruned one.
// Masked weights don't count.
func (c sweep) left(g group) (parameters, macs string) {
	p, m := shares(g.results, c.whole.results)
	write := func(share float64) string {
		if share == 0 {
			return ""
		}
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	return write(p), write(m)
}

// shares returns the parameters and MACs of a network as shares of the whole one's, of
// masked networks those that are not zero; 0 where the whole one is not known.
func shares(of, whole []result.Result) (parameters, macs float64) {
	if len(whole) == 0 {
		return 0, 0
	}
	share := func(value func(result.Size) int64) float64 {
		size := func(r result.Result) int64 { return value(r.Size) }
		w := meanInt(whole, size)
		if w == 0 {
			return 0
		}
		return float64(meanInt(of, size)) / float64(w)
	}
	return share(result.Size.EffectiveParameters), share(result.Size.EffectiveMACs)
}

// fileName makes a file name from the names of models, methods and so on.
func fileName(parts ...string) string {
	name := strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "-")
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		}
		return '_'
	}, name)
}
