package report

import (
	"fmt"
	"slices"

	"cmp"
)

// pareto draws the score against what networks cost: MACs, parameters and, where it was
// measured, the time of one clip; all methods in each panel.
func pareto(d drawing) (*Figure, error) {
	stages := d.pruned()
	if len(stages) == 0 {
		return nil, nil
	}
	f := newFigure(fileName("pareto", d.model), fmt.Sprintf("%s: test %s against cost (of masked networks what is not zero). %s. Networks before any recovery have none.",
		d.model, MetricTitle(d.metric()), d.barsAre()), 3)
	f.height *= 1.25
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
		for _, m := range d.methods() {
			for _, stage := range stages {
				var all []point
				for _, g := range d.ofMethod(m) {
					row, ok := d.row(g.Variant)
					x, known := c.of(g)
					if g.Stage != stage || !ok || !known {
						continue
					}
					at := row.at(x)
					if stage == Pruned {
						at.low, at.high = at.y, at.y
					}
					all = append(all, at)
					most = max(most, x)
				}
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
		if len(whole.results) > 0 {
			if x, ok := c.of(whole); ok {
				most = max(most, x)
				if err := p.series(lookOf("", Unpruned), 3, []point{{x, 100 * scoreOf(whole, d.metric()).Mean, nan, nan}}); err != nil {
					return nil, err
				}
			}
		}
		p.X.Min, p.X.Max = 0, most*1.05
	}
	f.columns = max(1, len(f.panels))
	d.methodsKey(f)
	d.stagesKey(f, stages)
	d.references(f)
	f.alike()
	return f, nil
}
