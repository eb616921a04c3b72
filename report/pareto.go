package report

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// pareto draws the score against what networks cost: MACs, parameters and, where it was
// measured, the time of one clip; all methods in each panel.
func pareto(d drawing) (*Figure, error) {
	stages := slices.DeleteFunc(d.pruned(), func(stage string) bool { return stage == Pruned })
	if len(stages) == 0 {
		return nil, nil
	}
	f := newFigure(fileName("pareto", d.model), fmt.Sprintf("%s: test %s against cost (of masked networks what is not zero). %s. Networks before any recovery are left out.",
		d.model, MetricTitle(d.metric()), d.barsAre()), 3)
	f.height *= 1.4
	whole, _ := unprunedOf(d.all, d.model)
	costs := []struct {
		title, axis string
		of          func(g group) (float64, bool)
	}{
		{"MACs", "MACs, million", func(g group) (float64, bool) { return float64(meanSize(g.results).effectiveMACs()) / 1e6, true }},
		{"parameters", "parameters, thousand", func(g group) (float64, bool) {
			return float64(meanSize(g.results).effectiveParameters()) / 1e3, true
		}},
		{"latency", "1 clip, ms", func(g group) (float64, bool) {
			v := speedOf(d.Study, g.Variant).Latency1
			return v, v > 0
		}},
	}
	for _, c := range costs {
		p := f.panel(c.title, c.axis, d.axis())
		most := 0.0
		var every []point
		for _, m := range d.methods() {
			for _, stage := range stages {
				var all []point
				for _, g := range d.ofMethod(m) {
					row, ok := d.row(g.Variant)
					x, known := c.of(g)
					if g.Stage != stage || !ok || !known {
						continue
					}
					all = append(all, row.at(x))
					most = max(most, x)
				}
				every = append(every, all...)
				slices.SortFunc(all, func(a, b point) int { return cmp.Compare(a.x, b.x) })
				if err := p.series(lookOf(m, stage), 2.2, all); err != nil {
					return nil, err
				}
			}
		}
		if most == 0 {
			f.panels = f.panels[:len(f.panels)-1] // nothing was measured
			continue
		}
		if x, ok := c.of(whole); ok && len(whole.results) > 0 {
			most = max(most, x)
			at := point{x, 100 * scoreOf(whole, d.metric()).Mean, nan, nan}
			every = append(every, at)
			if err := p.series(lookOf("", Unpruned), 3, []point{at}); err != nil {
				return nil, err
			}
		}
		if err := p.curve(frontStyle(), front(every)); err != nil {
			return nil, err
		}
		p.X.Min, p.X.Max = 0, most*1.05
	}
	f.columns = max(1, len(f.panels))
	d.methodsKey(f)
	d.stagesKey(f, stages)
	d.references(f)
	f.explain("none is better and costs less", lineThumb(frontStyle()))
	f.alike()
	return f, nil
}

// front joins the points than which none costs less and reaches more, in steps.
func front(all []point) []point {
	all, _ = drawable(all)
	slices.SortFunc(all, func(a, b point) int { return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(b.y, a.y)) })
	var steps []point
	for _, p := range all {
		n := len(steps)
		if n > 0 && p.y <= steps[n-1].y {
			continue
		}
		if n > 0 {
			steps = append(steps, point{p.x, steps[n-1].y, nan, nan})
		}
		steps = append(steps, p)
	}
	return steps
}

func frontStyle() draw.LineStyle {
	return draw.LineStyle{Color: color.Gray{190}, Width: vg.Points(3)}
}
