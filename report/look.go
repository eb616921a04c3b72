package report

import (
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/eegprune/eegprune/result"
)

// palette is the muted scheme of Paul Tol (SRON/EPS/TN/09-002, issue 3.2), nine colours
// that colour-blind people can tell apart too; the first four, the paper's methods, best.
func palette() []color.Color {
	return []color.Color{
		color.RGBA{0x33, 0x22, 0x88, 255}, // indigo
		color.RGBA{0x99, 0x99, 0x33, 255}, // olive
		color.RGBA{0x88, 0xcc, 0xee, 255}, // cyan
		color.RGBA{0x88, 0x22, 0x55, 255}, // wine
		color.RGBA{0xcc, 0x66, 0x77, 255}, // rose
		color.RGBA{0x11, 0x77, 0x33, 255}, // green
		color.RGBA{0xdd, 0xcc, 0x77, 255}, // sand
		color.RGBA{0x44, 0xaa, 0x99, 255}, // teal
		color.RGBA{0xaa, 0x44, 0x99, 255}, // purple
	}
}

// methodColors are the methods that have a colour of their own, in the order of the
// palette: the same in every figure of every study.
var methodColors = []string{"lfp", "nsfp", "sfp", "uwmp", "fpgm", "taylor", "random", "bn-sum", "lamp"}

// colorOf returns a method's colour; methods of a later version share those that are
// there, by name. Without a method it is black: networks that were not pruned.
func colorOf(method string) color.Color {
	if method == "" {
		return color.Black
	}
	all := palette()
	if i := slices.Index(methodColors, method); i >= 0 {
		return all[i]
	}
	sum := 0
	for _, b := range []byte(method) {
		sum = 31*sum + int(b)
	}
	return all[sum%len(all)]
}

func dashes(v ...float64) []vg.Length {
	d := make([]vg.Length, len(v))
	for i := range v {
		d[i] = vg.Points(v[i])
	}
	return d
}

// A look is how a series is drawn: colour says the method, dashes and glyph the stage.
type look struct {
	color color.Color
	dash  []vg.Length
	glyph draw.GlyphDrawer
}

// lookOf is the look of a method's networks in a stage.
func lookOf(method, stage string) look {
	l := look{color: colorOf(method), glyph: draw.CircleGlyph{}}
	switch stage {
	case result.Pruned:
		l.dash, l.glyph = dashes(1.5, 2.5), draw.CrossGlyph{}
	case result.Scratch:
		l.dash, l.glyph = dashes(5, 2.5), draw.SquareGlyph{}
	case result.ScratchB:
		l.dash, l.glyph = dashes(8, 2, 2, 2), draw.TriangleGlyph{}
	case result.Uniform:
		l.dash, l.glyph = dashes(2, 2), draw.PlusGlyph{}
	case result.Sparse, result.TrainedOn:
		l.dash, l.glyph = dashes(6, 2), draw.RingGlyph{}
	}
	return l
}

// layerLook tells the lines of layers apart, by colour, dashes and glyph.
func layerLook(n int) look {
	colors := palette()
	stages := []string{result.FineTuned, result.Scratch, result.Pruned, result.ScratchB, result.Uniform}
	l := lookOf("", stages[n%len(stages)])
	l.color = colors[n%len(colors)]
	return l
}

// Shades of lines that are no series.
const (
	greyLine  = 110
	paleShade = 225
)

// line is the style of a look's lines.
func (l look) line(width float64) draw.LineStyle {
	return draw.LineStyle{Color: l.color, Width: vg.Points(width), Dashes: l.dash}
}

func (l look) dot(radius float64) draw.GlyphStyle {
	return draw.GlyphStyle{Color: l.color, Radius: vg.Points(radius), Shape: l.glyph}
}
