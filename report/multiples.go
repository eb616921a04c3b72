package report

import (
	"fmt"
	"math"

	"github.com/eegprune/eegprune/result"
)

var nan = math.NaN()

// multiples draws the score by ratio, a panel for each method, with a curve for each
// stage; of methods at one ratio the points stand side by side.
func multiples(d drawing) (*Figure, error) {
	stages := d.pruned()
	if len(stages) == 0 {
		return nil, nil
	}
	f := newFigure(fileName("ratios", d.model), fmt.Sprintf("%s: test %s by pruning ratio, a panel for each method. %s.", d.model, result.MetricTitle(d.JudgedBy()), d.barsAre()), 3)
	low, high := math.Inf(1), math.Inf(-1)
	for _, g := range d.all {
		if !result.StageOf(g.Stage).Whole {
			low, high = min(low, g.Ratio), max(high, g.Ratio)
		}
	}
	aside := max(high-low, 0.1) / 60
	for _, m := range d.methods() {
		p := f.panel(m, "ratio, %", d.axis())
		for i, stage := range stages {
			var all []point
			for _, g := range d.ofMethod(m) {
				if row, ok := d.row(g.Variant); ok && g.Stage == stage {
					// Side by side, or the bars of one would hide those of another.
					all = append(all, row.at(100*(g.Ratio+aside*(float64(i)-float64(len(stages)-1)/2))))
				}
			}
			if err := p.series(lookOf(m, stage), 2.4, all); err != nil {
				return nil, err
			}
		}
		p.X.Min, p.X.Max = 100*(low-3*aside-0.01), 100*(high+3*aside+0.01)
	}
	f.columns = columnsFor(len(f.panels))
	d.stagesKey(f, stages)
	d.references(f)
	f.alike()
	return f, nil
}
