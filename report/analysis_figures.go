package report

import (
	"fmt"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/eegprune/eegprune/result"
)

// Figure draws the loss of the metric over the ratio, a line for each layer.
func (v *Sensitivity) Figure() (*Figure, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	f := newFigure(fileName("sensitivity", v.Model, v.Method),
		fmt.Sprintf("%s, one layer pruned by %s and no training after it: loss of %s on the %s clips, mean over folds.", v.Model, v.Method, result.MetricTitle(v.Metric), v.On), 1)
	f.height = 3.2 * vg.Inch
	p := f.panel("", "pruning ratio of the layer, %", "loss of "+result.MetricTitle(v.Metric)+", percentage points")
	names, points := v.layers()
	for i, name := range names {
		var of []point
		for _, q := range points[name] {
			// Without error bars: those of many layers would cover each other.
			of = append(of, point{100 * q.Ratio, 100 * v.loss(q).Mean, nan, nan})
		}
		if err := p.series(layerLook(i), 2.8, of); err != nil {
			return nil, fmt.Errorf("plotting the sensitivity of %s: %w", name, err)
		}
		f.explain(name, layerLook(i).thumbs()...)
	}
	p.widen()
	return f, nil
}

// Figure draws the saved shares of parameters and MACs as bars, where they are shown to
// be without loss.
func (v *Savings) Figure() (*Figure, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	f := newFigure("savings", fmt.Sprintf("Parameters and MACs saved without loss of %s (of masked networks those that are zero). Where the test clips do not show that there is no loss there is no bar.", result.MetricTitle(v.Metric)), 1)
	n := len(v.Rows)
	if n == 0 {
		return f, nil
	}
	f.height = vg.Points(50) + vg.Points(30)*vg.Length(n)
	panel := f.panel("", "saved, % of the unpruned network's", "")
	parameters, macs := make(plotter.Values, n), make(plotter.Values, n)
	labels := make([]string, n)
	for i, r := range v.Rows {
		at := n - 1 - i // the first row on top
		labels[at] = fmt.Sprintf("%s %s %s", r.Model, r.Method, r.Stage)
		if r.Without {
			p, m := r.Saved()
			parameters[at], macs[at] = 100*p, 100*m
		}
	}
	for i, b := range []struct {
		name   string
		values plotter.Values
	}{{"parameters", parameters}, {"MACs", macs}} {
		bars, err := plotter.NewBarChart(b.values, vg.Points(9))
		if err != nil {
			return nil, fmt.Errorf("plotting the savings: %w", err)
		}
		bars.Horizontal, bars.LineStyle.Width = true, vg.Points(0.6)
		// A dark and a light one: they differ without colour too.
		bars.Color, bars.Offset = palette()[2*i], vg.Points(5)*vg.Length(1-2*i)
		panel.Add(bars)
		f.explain(b.name, swatch{palette()[2*i]})
	}
	panel.NominalY(labels...)
	panel.X.Min, panel.X.Max = 0, 100
	return f, nil
}
