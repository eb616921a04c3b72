package report

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/eegprune/eegprune/result"
)

// pareto draws the score against the networks' costs: MACs, parameters and, where it was
// measured, the time of one clip; all methods in each panel.
func pareto(d drawing) (*Figure, error) {
	stages := slices.DeleteFunc(d.pruned(), func(stage string) bool { return stage == result.Pruned })
	if len(stages) == 0 {
		return nil, nil
	}
	f := newFigure(fileName("pareto", d.model), fmt.Sprintf("%s: test %s against cost (nonzero weights of masked networks). %s. Networks before any recovery are left out.",
		d.model, result.MetricTitle(d.JudgedBy()), d.barsAre()), 3)
	f.height *= 1.4
	costs := []struct {
		title, axis string
		of          func(g group) (float64, bool)
	}{
		{"MACs", "MACs, million", func(g group) (float64, bool) { return float64(meanSize(g.results).EffectiveMACs()) / 1e6, true }},
		{"parameters", "parameters, thousand", func(g group) (float64, bool) {
			return float64(meanSize(g.results).EffectiveParameters()) / 1e3, true
		}},
		{"latency", "1 clip, ms", func(g group) (float64, bool) {
			v := speedOf(d.Study, g.Variant).Latency1
			return v, v > 0
		}},
	}
	for _, c := range costs {
		all := d.priced(c.of)
		if len(all) == 0 {
			continue // nothing was measured
		}
		p := f.panel(c.title, c.axis, d.axis())
		var every []point
		most := 0.0
		for _, of := range all {
			for _, at := range of.points {
				every, most = append(every, at), max(most, at.x)
			}
		}
		if err := p.curve(frontStyle(), front(every)); err != nil {
			return nil, err
		}
		for _, of := range all {
			if err := p.series(of.look, of.radius, of.points); err != nil {
				return nil, err
			}
		}
		p.X.Min, p.X.Max = 0, most*1.05
	}
	f.columns = max(1, len(f.panels))
	d.methodsKey(f)
	d.sharedKey(f)
	d.stagesKey(f, stages)
	d.references(f)
	f.explain("none is better and costs less", lineThumb(frontStyle()))
	f.alike()
	return f, nil
}

// A priced series is networks of one method and stage, or the unpruned one, by cost.
type priced struct {
	look   look
	radius float64
	points []point
}

// priced returns the recovered networks, those of several methods once, and the unpruned
// one; none where no cost is known.
func (d drawing) priced(cost func(group) (float64, bool)) []priced {
	type kind struct {
		method, stage string
		shared        bool
	}
	var order []kind
	of := map[kind][]point{}
	for _, g := range distinct(d.all) {
		row, ok := d.row(g.Variant)
		x, known := cost(g)
		if !ok || !known || g.Stage != result.Unpruned && (result.StageOf(g.Stage).Whole || g.Stage == result.Pruned) {
			continue
		}
		k := kind{g.Method, g.Stage, len(g.methods) > 1}
		if k.shared {
			k.method = ""
		}
		if of[k] == nil {
			order = append(order, k)
		}
		of[k] = append(of[k], row.at(x))
	}
	var all []priced
	for _, k := range order {
		slices.SortFunc(of[k], func(a, b point) int { return cmp.Compare(a.x, b.x) })
		s := priced{lookOf(k.method, k.stage), 2.2, of[k]}
		if k.shared {
			s.look.color = color.Gray{greyLine}
		}
		if k.stage == result.Unpruned {
			s.radius = 3
		}
		all = append(all, s)
	}
	return all
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
