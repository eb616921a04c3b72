package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/eegprune/eegprune/result"
)

// A drawing holds the data of figures: the results of one model, and their comparison.
type drawing struct {
	*result.Study
	comparison *Comparison
	model      string
	all        []group            // the model's, undivided
	closer     map[string]float64 // the ratio at which each method is looked at closer
}

// kinds are the figures of a model, in the order of the page. Each returns nil where
// there is nothing to show.
func kinds() []func(drawing) (*Figure, error) {
	return []func(drawing) (*Figure, error){pareto, multiples, confusions, learning, subjects}
}

// Figures returns a study's figures, those of each model together.
func Figures(s *result.Study, j Judgement) ([]*Figure, error) {
	c, err := NewComparison(s, j)
	if err != nil {
		return nil, err
	}
	return figures(s, c)
}

func figures(s *result.Study, c *Comparison) ([]*Figure, error) {
	var out []*Figure
	all := groups(s)
	for i, g := range all {
		if i > 0 && all[i-1].Model == g.Model {
			continue
		}
		d := drawing{Study: s, comparison: c, model: g.Model, all: slices.DeleteFunc(slices.Clone(all), func(o group) bool { return o.Model != g.Model }), closer: map[string]float64{}}
		for _, m := range d.methods() {
			d.closer[m] = d.closerRatio(m)
		}
		for _, kind := range kinds() {
			f, err := kind(d)
			if err != nil {
				return nil, fmt.Errorf("plotting %s: %w", g.Model, err)
			}
			if f != nil {
				f.model = g.Model
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// methods are those by which the model was pruned, in order.
func (d drawing) methods() []string {
	var names []string
	for _, g := range d.all {
		if !result.StageOf(g.Stage).Whole && !slices.Contains(names, g.Method) {
			names = append(names, g.Method)
		}
	}
	return names
}

// of returns the results of one of the model's networks.
func (d drawing) of(stage, method string, ratio float64) (group, bool) {
	for _, g := range d.all {
		if g.Stage == stage && g.Method == method && g.Ratio == ratio {
			return g, true
		}
	}
	return group{}, false
}

// ofMethod returns the pruned networks of a method.
func (d drawing) ofMethod(method string) []group {
	var networks []group
	for _, g := range d.all {
		if g.Method == method && !result.StageOf(g.Stage).Whole {
			networks = append(networks, g)
		}
	}
	return networks
}

// row returns a network's row of the comparison, also where several methods share it.
func (d drawing) row(v result.Variant) (ComparisonRow, bool) {
	for _, r := range d.comparison.Rows {
		if r.Model == v.Model && r.Stage == v.Stage && r.Ratio == v.Ratio && (r.Method == v.Method || slices.Contains(r.Methods, v.Method)) {
			return r, true
		}
	}
	return ComparisonRow{}, false
}

// at is a network's point at x: its score, and the interval of its difference to the
// reference, put about the score, in %.
func (r ComparisonRow) at(x float64) point {
	p := point{x, math.NaN(), math.NaN(), math.NaN()}
	if r.Score != nil {
		p.y = 100 * *r.Score
		if r.Loss != nil && r.LossLow != nil && r.LossHigh != nil {
			p.low, p.high = p.y+100*(*r.Loss-*r.LossHigh), p.y+100*(*r.Loss-*r.LossLow)
		}
	}
	return p
}

// axis names the metric.
func (d drawing) axis() string { return result.MetricTitle(d.JudgedBy()) + ", %" }

func (d drawing) barsAre() string {
	return "Bars: the " + d.comparison.judgement().confidence() + " interval of the difference to the network that each is judged against, cut at the edge"
}

// references draws in each panel the level of the networks that pruned ones are compared with.
func (d drawing) references(f *Figure) {
	for _, g := range d.all {
		if g.Model != d.model || g.Method != "" {
			continue
		}
		style := draw.LineStyle{Color: color.Black, Width: vg.Points(1.2), Dashes: lookOf("", g.Stage).dash}
		for _, p := range f.panels {
			p.level(style, 100*scoreOf(g, d.JudgedBy()).Mean)
		}
		f.explain(g.Stage, lineThumb(style))
	}
	i := slices.IndexFunc(d.comparison.Baselines, func(b Baseline) bool { return b.Model == d.model })
	if i >= 0 {
		dotted := draw.LineStyle{Color: color.Gray{greyLine}, Width: vg.Points(1.2), Dashes: dashes(1.5, 2.5)}
		for _, p := range f.panels {
			p.level(dotted, 100*d.comparison.Baselines[i].By(d.JudgedBy()))
		}
		f.explain(trivialName, lineThumb(dotted))
	}
}

// stagesKey explains the stages' glyphs and dashes.
func (d drawing) stagesKey(f *Figure, stages []string) {
	for _, s := range stages {
		l := lookOf("", s)
		l.color = color.Gray{greyLine - 40}
		f.explain(s, l.thumbs()...)
	}
}

func (d drawing) methodsKey(f *Figure) {
	for _, m := range d.methods() {
		f.explain(m, swatch{colorOf(m)})
	}
}

// color is the method's color, or grey where several methods share the network.
func (d drawing) color(g group) color.Color {
	if row, ok := d.row(g.Variant); ok && len(row.Methods) > 1 {
		return color.Gray{greyLine}
	}
	return colorOf(g.Method)
}

// sharedKey explains the grey of networks that several methods share.
func (d drawing) sharedKey(f *Figure) {
	if slices.ContainsFunc(d.comparison.Rows, func(r ComparisonRow) bool { return r.Model == d.model && len(r.Methods) > 1 }) {
		f.explain("of several methods", swatch{color.Gray{greyLine}})
	}
}

// pruned are the stages of pruned networks.
func (d drawing) pruned() []string {
	return slices.DeleteFunc(stagesOf(d.all), func(stage string) bool { return result.StageOf(stage).Whole })
}

// closerRatio returns the largest ratio at which some recovery by a method loses less than the
// margin in mean on the validation clips or, where there is none, the smallest.
func (d drawing) closerRatio(method string) float64 {
	var smallest, largest float64
	seen := false
	for _, g := range d.ofMethod(method) {
		if !seen || g.Ratio < smallest {
			smallest, seen = g.Ratio, true
		}
		reference, ok := referenceOf(d.all, g.Variant)
		if !ok || !result.StageOf(g.Stage).Recovered {
			continue
		}
		x, y, _ := pairs(reference.results, g.results, onValidation(d.JudgedBy()))
		if len(x) > 0 && lossOf(x, y).Mean <= d.comparison.Margin {
			largest = max(largest, g.Ratio)
		}
	}
	if largest > 0 {
		return largest
	}
	return smallest
}

// closerIs says in a caption which networks are shown.
func (d drawing) closerIs() string {
	return fmt.Sprintf("Each method at the largest ratio at which a recovery loses less than %.3g points in mean on the validation clips, or its smallest.", 100*d.comparison.Margin)
}
