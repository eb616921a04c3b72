package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	accuracyAxis = "test accuracy, %"
	ratioAxis    = "pruning ratio, %"
	barsAre      = "bars and band are the standard deviation over folds"
)

// Figures returns a study's figures. For each model and method there are curves of
// accuracy over ratio or, where it was pruned at one ratio only, the accuracy of every
// fold; for each model with several methods and ratios, accuracy over the MACs that are
// left.
func Figures(s *Study) ([]*Figure, error) {
	var figures []*Figure
	all := sweeps(s)
	for i, c := range all {
		draw := c.folds
		if len(c.ratios()) > 1 {
			draw = c.curves
		}
		f, err := draw()
		if err != nil {
			return nil, fmt.Errorf("plotting %s pruned by %s: %w", c.model, c.method, err)
		}
		figures = append(figures, f)
		if i+1 < len(all) && all[i+1].model == c.model {
			continue
		}
		f, err = methods(all, c.model)
		if err != nil {
			return nil, fmt.Errorf("plotting the methods on %s: %w", c.model, err)
		}
		if f != nil {
			figures = append(figures, f)
		}
	}
	return figures, nil
}

// stageLook gives a stage the same look in all figures.
func stageLook(stage string) look {
	order := []string{FineTuned, Pruned, Scratch, ScratchB, Uniform, Sparse}
	if i := slices.Index(order, stage); i >= 0 {
		return lookOf(i)
	}
	return lookOf(len(order))
}

func percentPoint(x float64, s Spread) point { return point{100 * x, 100 * s.Mean, 100 * s.SD} }

func percentSpread(s Spread) Spread { return Spread{100 * s.Mean, 100 * s.SD} }

// unpruned draws the unpruned network's accuracy.
func (c sweep) unpruned(f *Figure, x0, x1 float64) error {
	if len(c.whole.results) == 0 {
		return nil
	}
	solid := draw.LineStyle{Color: color.Black, Width: vg.Points(1.6)}
	return f.level(Unpruned, solid, percentSpread(accuracyOf(c.whole)), x0, x1)
}

// references draws what pruned networks are measured by: the unpruned one and the
// majority class.
func (c sweep) references(f *Figure, x0, x1 float64) error {
	if err := c.unpruned(f, x0, x1); err != nil {
		return err
	}
	of := c.whole.results
	if len(of) == 0 {
		of = c.pruned[0].results
	}
	majority := spread(of, func(r Result) float64 { return r.Test.Majority })
	dotted := draw.LineStyle{Color: color.Gray{greyLine}, Width: vg.Points(1.2), Dashes: []vg.Length{vg.Points(1.5), vg.Points(2.5)}}
	return f.level("majority class", dotted, Spread{100 * majority.Mean, math.NaN()}, x0, x1)
}

// curves draws accuracy over ratio, a curve for each stage.
func (c sweep) curves() (*Figure, error) {
	f := newFigure(fileName("sweep", c.model, c.method),
		fmt.Sprintf("%s pruned by %s: test accuracy by pruning ratio; %s.", c.model, c.method, barsAre), ratioAxis, accuracyAxis)
	ratios := c.ratios()
	step := math.Inf(1)
	for i := 1; i < len(ratios); i++ {
		step = min(step, ratios[i]-ratios[i-1])
	}
	if err := c.references(f, 100*(ratios[0]-step/4), 100*(ratios[len(ratios)-1]+step/4)); err != nil {
		return nil, err
	}
	stages := stagesOf(c.pruned)
	for i, stage := range stages {
		var of []point
		// Side by side, or the error bars of one would hide those of another.
		aside := step / 14 * (float64(i) - float64(len(stages)-1)/2)
		for _, g := range c.pruned {
			if g.Stage == stage {
				of = append(of, percentPoint(g.Ratio+aside, accuracyOf(g)))
			}
		}
		if err := f.series(stage, stageLook(stage), of); err != nil {
			return nil, err
		}
	}
	f.widen()
	return f, nil
}

// folds draws the accuracy of each fold beside the mean, by stage.
func (c sweep) folds() (*Figure, error) {
	ratio := c.pruned[0].Ratio
	f := newFigure(fileName("folds", c.model, c.method),
		fmt.Sprintf("%s pruned by %s, ratio %g: test accuracy of every fold (small), and mean and standard deviation.", c.model, c.method, ratio), "", accuracyAxis)
	columns := c.pruned
	if len(c.whole.results) > 0 {
		columns = append([]group{c.whole}, columns...)
	}
	right := float64(len(columns)) - 0.5
	if err := c.references(f, -0.5, right); err != nil {
		return nil, err
	}
	var labels []string
	for i, g := range columns {
		labels = append(labels, g.Stage)
		l := stageLook(g.Stage)
		if g.Stage == Unpruned {
			l = look{color: color.Black, glyph: draw.CircleGlyph{}}
		}
		mean := []point{{float64(i) - 0.1, 100 * accuracyOf(g).Mean, 100 * accuracyOf(g).SD}}
		if g.Stage == Unpruned {
			// The legend has it already, with its band.
			mean[0].sd = math.NaN()
		} else if err := f.series(g.Stage, l, mean); err != nil {
			return nil, err
		}
		var each points
		for j, r := range g.results {
			each = append(each, point{x: float64(i) + 0.05 + 0.3*float64(j)/float64(len(g.results)), mean: 100 * r.Test.Accuracy})
		}
		each, _ = finite(each)
		if len(each) == 0 {
			continue
		}
		dots, err := plotter.NewScatter(each)
		if err != nil {
			return nil, err
		}
		dots.GlyphStyle = draw.GlyphStyle{Color: l.color, Radius: vg.Points(1.7), Shape: draw.RingGlyph{}}
		f.plot.Add(dots)
	}
	f.widen()
	f.plot.NominalX(labels...)
	f.plot.X.Min, f.plot.X.Max = -0.5, right
	return f, nil
}

// methods draws accuracy over the MACs that are left, a curve for each method, after
// the first recovery that all have; nil where there is nothing to compare.
func methods(all []sweep, model string) (*Figure, error) {
	var of []sweep
	several := false
	for _, c := range all {
		if c.model == model && len(c.whole.results) > 0 {
			of = append(of, c)
			several = several || len(c.ratios()) > 1
		}
	}
	if len(of) < 2 || !several {
		return nil, nil
	}
	stage := ""
	for _, s := range []string{FineTuned, Scratch, ScratchB, Pruned} {
		if !slices.ContainsFunc(of, func(c sweep) bool { return !slices.Contains(stagesOf(c.pruned), s) }) {
			stage = s
			break
		}
	}
	if stage == "" {
		return nil, nil
	}
	f := newFigure(fileName("methods", model), fmt.Sprintf("%s, %s: test accuracy by the MACs that are left (of masked networks those that are not zero); %s.", model, stage, barsAre),
		"MACs left, % of the unpruned network's", stage+" networks: "+accuracyAxis)
	if err := of[0].unpruned(f, 0, 100); err != nil {
		return nil, err
	}
	for i, c := range of {
		var points []point
		for _, g := range c.pruned {
			if g.Stage == stage {
				_, macs := shares(g.results, c.whole.results)
				points = append(points, percentPoint(macs, accuracyOf(g)))
			}
		}
		if err := f.series(c.method, lookOf(i), points); err != nil {
			return nil, err
		}
	}
	f.widen()
	return f, nil
}

// Figure draws the loss of accuracy over the ratio, a line for each layer.
func (v *Sensitivity) Figure() (*Figure, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	f := newFigure(fileName("sensitivity", v.Model, v.Method),
		fmt.Sprintf("%s, one layer pruned by %s and no training after it: loss of accuracy on the %s clips, mean over folds.", v.Model, v.Method, v.On),
		"pruning ratio of the layer, %", "loss of accuracy, percentage points")
	names, points := v.layers()
	for i, name := range names {
		var of []point
		for _, p := range points[name] {
			// Without error bars: those of many layers would cover each other.
			of = append(of, point{100 * p.Ratio, 100 * v.loss(p).Mean, math.NaN()})
		}
		if err := f.series(name, lookOf(i), of); err != nil {
			return nil, fmt.Errorf("plotting the sensitivity of %s: %w", name, err)
		}
	}
	f.widen()
	return f, nil
}

// Figure draws the saved shares of parameters and MACs as bars.
func (v *Savings) Figure() (*Figure, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	f := newFigure("savings", "Parameters and MACs saved without loss of accuracy as far as the test can tell (of masked networks those that are zero).",
		"saved, % of the unpruned network's", "")
	n := len(v.Rows)
	if n == 0 {
		return f, nil
	}
	f.height = max(vg.Points(110), vg.Points(60)+vg.Points(34)*vg.Length(n))
	parameters, macs := make(plotter.Values, n), make(plotter.Values, n)
	labels := make([]string, n)
	for i, r := range v.Rows {
		at := n - 1 - i // the first row on top
		p, m := r.Saved()
		parameters[at], macs[at] = 100*p, 100*m
		labels[at] = fmt.Sprintf("%s %s %s", r.Model, r.Method, r.Stage)
	}
	for i, b := range []struct {
		name   string
		values plotter.Values
	}{{"parameters", parameters}, {"MACs", macs}} {
		bars, err := plotter.NewBarChart(b.values, vg.Points(10))
		if err != nil {
			return nil, fmt.Errorf("plotting the savings: %w", err)
		}
		bars.Horizontal, bars.LineStyle.Width = true, vg.Points(0.6)
		// A dark and a light one: they differ without colour too.
		bars.Color, bars.Offset = looks()[5*i].color, vg.Points(5.5)*vg.Length(1-2*i)
		f.plot.Add(bars)
		f.explain(b.name, bars)
	}
	f.plot.NominalY(labels...)
	f.plot.X.Min, f.plot.X.Max = 0, 100
	return f, nil
}
