package report

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/eegprune/eegprune/result"
)

// learning draws loss and score over the epochs, means over folds: a panel for each stage
// that trains, with a line for each method.
func learning(d drawing) (*Figure, error) {
	var stages []string
	for _, stage := range stagesOf(d.all) {
		if slices.ContainsFunc(d.all, func(g group) bool { return g.Stage == stage && len(g.results[0].Epochs) > 0 }) {
			stages = append(stages, stage)
		}
	}
	if len(stages) == 0 {
		return nil, nil
	}
	f := newFigure(fileName("learning", d.model), fmt.Sprintf("%s: loss and %s by epoch, means over folds. %s", d.model, result.MetricTitle(d.JudgedBy()), d.closerIs()), columnsFor(len(stages)))
	f.height = 1.7 * vg.Inch
	score := func(e result.Epoch) float64 {
		return 100 * result.Score{Accuracy: e.ValAcc, Balanced: e.ValBalanced, MacroF1: e.ValF1}.By(d.JudgedBy())
	}
	for _, kind := range []struct {
		axis              string
		validation, train func(result.Epoch) float64
	}{
		{"loss", func(e result.Epoch) float64 { return e.ValLoss }, func(e result.Epoch) float64 { return e.Loss }},
		{d.axis(), score, nil},
	} {
		first := len(f.panels)
		for _, stage := range stages {
			p := f.panel(stage, "epoch", kind.axis)
			for _, g := range d.all {
				if g.Stage != stage || !result.StageOf(stage).Whole && g.Ratio != d.closer[g.Method] {
					continue
				}
				style := draw.LineStyle{Color: d.color(g), Width: vg.Points(1.2)}
				if kind.train != nil {
					dotted := style
					dotted.Width, dotted.Dashes = vg.Points(0.9), dashes(1.5, 1.5)
					if err := p.curve(dotted, byEpoch(g.results, kind.train)); err != nil {
						return nil, err
					}
				}
				if err := p.curve(style, byEpoch(g.results, kind.validation)); err != nil {
					return nil, err
				}
			}
			p.X.Min = 0
		}
		// Each kind begins a row, on one axis.
		of := &Figure{panels: f.panels[first:]}
		of.alike()
		for len(f.panels)%f.columns != 0 {
			f.panels = append(f.panels, &panel{})
		}
	}
	d.methodsKey(f)
	d.sharedKey(f)
	black := draw.LineStyle{Color: colorOf(""), Width: vg.Points(1.2)}
	f.explain("validation clips", lineThumb(black))
	black.Dashes = dashes(1.5, 1.5)
	f.explain("training clips (loss)", lineThumb(black))
	return f, nil
}

// byEpoch is the mean over results of each epoch, of those that came so far.
func byEpoch(results []result.Result, value func(result.Epoch) float64) []point {
	var all []point
	var n []float64
	for _, r := range results {
		for i, e := range r.Epochs {
			if i == len(all) {
				all, n = append(all, point{float64(i + 1), 0, nan, nan}), append(n, 0)
			}
			all[i].y += value(e)
			n[i]++
		}
	}
	for i := range all {
		all[i].y /= n[i]
	}
	return all
}
