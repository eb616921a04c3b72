package report

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/eegprune/eegprune/result"
)

// A matrix draws a confusion matrix, the first true class on top; the shade is the share
// of the true class.
type matrix struct{ of [][]int }

func (m matrix) DataRange() (xmin, xmax, ymin, ymax float64) {
	n := float64(len(m.of))
	return 0, n, 0, n
}

func (m matrix) Plot(c draw.Canvas, p *plot.Plot) {
	n := len(m.of)
	x, y := p.Transforms(&c)
	for i, row := range m.of {
		sum := 0
		for _, v := range row {
			sum += v
		}
		for j, v := range row {
			share := 0.0
			if sum > 0 {
				share = float64(v) / float64(sum)
			}
			left, right, top, bottom := x(float64(j)), x(float64(j+1)), y(float64(n-i)), y(float64(n-i-1))
			corners := []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}}
			c.FillPolygon(blend(share), corners)
			style := p.X.Tick.Label
			style.Color, style.XAlign, style.YAlign = color.Black, -0.5, -0.5
			if share > 0.68 {
				style.Color = color.White
			}
			middle := vg.Point{X: (left + right) / 2, Y: (top + bottom) / 2}
			if n <= 4 {
				middle.Y += vg.Points(5)
				c.FillText(style, middle, fmt.Sprintf("%.0f %%", 100*share))
				middle.Y -= vg.Points(10)
				style.Font = sans(7)
				c.FillText(style, middle, count(int64(v)))
			} else {
				style.Font = sans(7)
				c.FillText(style, middle, fmt.Sprintf("%.0f", 100*share))
			}
		}
	}
}

// blend is white for none and dark blue for all.
func blend(share float64) color.Color {
	mix := func(to float64) uint8 { return uint8(255 + share*(to-255)) }
	return color.RGBA{mix(0x1b), mix(0x3a), mix(0x7a), 255}
}

// classTicks name the classes by their numbers, in the middle of their rows.
func classTicks(n int, downwards bool) plot.Ticker {
	var all []plot.Tick
	for i := range n {
		at := float64(i) + 0.5
		if downwards {
			at = float64(n) - at
		}
		all = append(all, plot.Tick{Value: at, Label: fmt.Sprint(i + 1)})
	}
	return plot.ConstantTicks(all)
}

// confusions draws the confusion matrices of the test clips of all folds: of the networks
// that were not pruned, and of each method's recovered ones at one ratio.
func confusions(d drawing) (*Figure, error) {
	classes := d.classes()
	f := newFigure(fileName("confusion", d.model), fmt.Sprintf("%s: test clips of all folds by true class (rows) and named class (columns), in %% of the true class. %s%s", d.model, classes, d.closerIs()), 4)
	f.height = 1.95 * vg.Inch
	add := func(g group, title string) {
		sum := confusionOf(g.results)
		if sum == nil {
			return
		}
		p := f.panel(title, "named", "true")
		p.X.Tick.Marker, p.Y.Tick.Marker = classTicks(len(sum), false), classTicks(len(sum), true)
		p.X.Padding, p.Y.Padding = 0, 0
		p.Add(matrix{sum})
	}
	for _, g := range d.all {
		if g.Method == "" {
			add(g, g.Stage)
		}
	}
	for _, m := range d.methods() {
		for _, stage := range stagesOf(d.ofMethod(m)) {
			if g, ok := d.of(stage, m, d.closer[m]); ok && result.StageOf(stage).Recovered {
				add(g, fmt.Sprintf("%s %s, %s", m, ratioText(g.Variant), stage))
			}
		}
	}
	if len(f.panels) == 0 {
		return nil, nil
	}
	return f, nil
}

// classes names them, where the settings do.
func (d drawing) classes() string {
	for _, l := range d.Settings {
		if l.Name == "classes" {
			return "Classes, in order: " + l.Value + ". "
		}
	}
	return ""
}
