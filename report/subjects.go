package report

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/eegprune/eegprune/result"
)

// subjects draws each subject's score before pruning and after recovery, a panel for each
// method, subjects in the order of their score before.
func subjects(d drawing) (*Figure, error) {
	whole, _ := unprunedOf(d.all, d.model)
	before := slices.DeleteFunc(subjectsOf(whole.results, d.JudgedBy()), func(s subject) bool { return math.IsNaN(s.score) })
	if len(before) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(before, func(a, b subject) int { return cmp.Compare(a.score, b.score) })
	f := newFigure(fileName("subjects", d.model), fmt.Sprintf("%s: each subject's test %s before pruning and after recovery, over all folds. %s", d.model, result.MetricTitle(d.JudgedBy()), d.closerIs()), 3)
	f.height = vg.Points(62) + vg.Points(10)*vg.Length(len(before))
	var names []plot.Tick
	for i, s := range before {
		names = append(names, plot.Tick{Value: float64(i), Label: s.name})
	}
	ring := look{color: color.Black, glyph: draw.RingGlyph{}}
	for _, m := range d.methods() {
		ratio := d.closer[m]
		p := f.panel(fmt.Sprintf("%s %g", m, ratio), d.axis(), "subject")
		p.Y.Tick.Marker = plot.ConstantTicks(names)
		var old []point
		for i, s := range before {
			old = append(old, point{100 * s.score, float64(i), nan, nan})
		}
		for _, stage := range result.Recoveries() {
			g, ok := d.of(stage, m, ratio)
			if !ok {
				continue
			}
			var now points
			for _, s := range subjectsOf(g.results, d.JudgedBy()) {
				i := slices.IndexFunc(before, func(o subject) bool { return o.name == s.name })
				if i < 0 || math.IsNaN(s.score) {
					continue
				}
				now = append(now, point{100 * s.score, float64(i), nan, nan})
				grey := draw.LineStyle{Color: color.Gray{190}, Width: vg.Points(0.8)}
				if err := p.curve(grey, []point{old[i], now[len(now)-1]}); err != nil {
					return nil, err
				}
			}
			if len(now) == 0 {
				continue
			}
			dots, err := plotter.NewScatter(now)
			if err != nil {
				return nil, err
			}
			dots.GlyphStyle = lookOf(m, stage).dot(2.4)
			p.Add(dots)
			d.stagesKey(f, []string{stage})
		}
		dots, err := plotter.NewScatter(points(old))
		if err != nil {
			return nil, err
		}
		dots.GlyphStyle = ring.dot(2.6)
		p.Add(dots)
		p.Y.Min, p.Y.Max = -0.7, float64(len(before))-0.3
		f.explain(result.Unpruned, dots)
	}
	if len(f.panels) == 0 {
		return nil, nil
	}
	f.columns = columnsFor(len(f.panels))
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range f.panels {
		low, high = min(low, p.X.Min), max(high, p.X.Max)
	}
	for _, p := range f.panels {
		p.X.Min, p.X.Max = low-2, high+2
	}
	return f, nil
}
