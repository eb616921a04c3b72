package report

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"eegprune/internal/atomicfile"
)

// The formats of figures.
const (
	FormatSVG = "svg"
	FormatPNG = "png" // 200 dots an inch
	FormatPDF = "pdf"
)

// FigureDir is where [WriteFigures] puts figures below a study's directory.
const FigureDir = "plots"

// A Figure is a plot with a legend beside it. The same results give the same bytes.
type Figure struct {
	Name    string // of its files, without an ending
	Caption string // plain text

	plot          *plot.Plot
	legend        plot.Legend
	legendWidth   vg.Length
	width, height vg.Length
}

// A look tells series apart by colour, dashes and glyph, so that each alone is enough.
type look struct {
	color color.Color
	dash  []vg.Length
	glyph draw.GlyphDrawer
}

// looks are the colours of Okabe and Ito (2008), which the colour-blind can tell apart,
// without the yellow, which is too light for lines.
func looks() []look {
	pt := func(v ...float64) []vg.Length {
		d := make([]vg.Length, len(v))
		for i := range v {
			d[i] = vg.Points(v[i])
		}
		return d
	}
	return []look{
		{color.RGBA{0, 114, 178, 255}, nil, draw.CircleGlyph{}},
		{color.RGBA{213, 94, 0, 255}, pt(6, 3), draw.BoxGlyph{}},
		{color.RGBA{0, 158, 115, 255}, pt(9, 3, 2, 3), draw.PyramidGlyph{}},
		{color.RGBA{204, 121, 167, 255}, pt(2, 2), draw.RingGlyph{}},
		{color.RGBA{230, 159, 0, 255}, pt(12, 4), draw.SquareGlyph{}},
		{color.RGBA{86, 180, 233, 255}, pt(4, 2, 1, 2, 1, 2), draw.TriangleGlyph{}},
		{color.RGBA{0, 0, 0, 255}, pt(1, 3), draw.CrossGlyph{}},
	}
}

// lookOf returns the look of the nth series; glyphs and colours repeat out of step.
func lookOf(n int) look {
	all := looks()
	l := all[n%len(all)]
	if round := n / len(all); round > 0 {
		l.glyph = all[(n+round)%len(all)].glyph
		l.dash = all[(n+2*round)%len(all)].dash
	}
	return l
}

// Shades of what is not a series.
const (
	greyLine  = 110
	paleShade = 225
)

func newFigure(name, caption, x, y string) *Figure {
	f := &Figure{Name: name, Caption: caption, plot: plot.New(), legend: plot.NewLegend(), width: 6.5 * vg.Inch, height: 3.6 * vg.Inch}
	sans := func(size vg.Length) font.Font {
		return font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
	}
	p := f.plot
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = sans(11)
		axis.Label.Padding = vg.Points(4)
		axis.Tick.Label.Font = sans(10)
		axis.Tick.Marker = plot.TickerFunc(ticks)
	}
	f.legend.TextStyle.Font = sans(10)
	f.legend.Top, f.legend.Left = true, true
	f.legend.Padding = vg.Points(5)
	f.legend.ThumbnailWidth = vg.Points(34)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{paleShade}, color.Gray{paleShade}
	p.Add(grid)
	return f
}

// ticks marks up to eight multiples of 1, 2 or 5 times a power of ten.
func ticks(low, high float64) []plot.Tick {
	const most = 8
	step := math.Pow(10, math.Floor(math.Log10((high-low)/most)))
	for _, by := range []float64{2, 2.5, 2, 2} {
		if (high-low)/step <= most {
			break
		}
		step *= by
	}
	var all []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high+1e-9*step; i++ {
		v := i*step + 0 // no -0
		all = append(all, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 4, 64)})
	}
	return all
}

// widen leaves room above and below what is drawn.
func (f *Figure) widen() {
	y := &f.plot.Y
	room := (y.Max - y.Min) / 20
	if !(room > 0) || math.IsInf(room, 0) {
		// Nothing is drawn, or all on one level.
		room = 1
	}
	if y.Min > y.Max {
		y.Min, y.Max = 0, 100
	}
	y.Min, y.Max = y.Min-room, y.Max+room
}

// explain adds a line to the legend.
func (f *Figure) explain(name string, thumbs ...plot.Thumbnailer) {
	f.legend.Add(name, thumbs...)
	f.legendWidth = max(f.legendWidth, f.legend.ThumbnailWidth+f.legend.TextStyle.Width(" "+name)+vg.Points(14))
}

// A point of a series; with an SD that is not a number it has no error bar.
type point struct{ x, mean, sd float64 }

// points is what gonum plots with error bars.
type points []point

func (p points) Len() int                         { return len(p) }
func (p points) XY(i int) (x, y float64)          { return p[i].x, p[i].mean }
func (p points) YError(i int) (low, high float64) { return p[i].sd, p[i].sd }

// finite leaves out what can't be drawn.
func finite(all []point) (drawn, spread points) {
	for _, p := range all {
		if math.IsNaN(p.mean) || math.IsInf(p.mean, 0) {
			continue
		}
		drawn = append(drawn, p)
		if p.sd > 0 && !math.IsInf(p.sd, 0) {
			spread = append(spread, p)
		}
	}
	return drawn, spread
}

// series draws points joined by lines, with error bars, and names them in the legend.
func (f *Figure) series(name string, l look, all []point) error {
	drawn, spread := finite(all)
	if len(drawn) == 0 {
		return nil
	}
	line, dots, err := plotter.NewLinePoints(drawn)
	if err != nil {
		return err
	}
	line.LineStyle = draw.LineStyle{Color: l.color, Width: vg.Points(1.6), Dashes: l.dash}
	dots.GlyphStyle = draw.GlyphStyle{Color: l.color, Radius: vg.Points(3.2), Shape: l.glyph}
	if len(spread) > 0 {
		bars, err := plotter.NewYErrorBars(spread)
		if err != nil {
			return err
		}
		bars.LineStyle = draw.LineStyle{Color: l.color, Width: vg.Points(0.8)}
		bars.CapWidth = vg.Points(5)
		f.plot.Add(bars)
	}
	f.plot.Add(line, dots)
	f.explain(name, line, dots)
	return nil
}

// level draws a horizontal line from x0 to x1 with a band of its spread.
func (f *Figure) level(name string, style draw.LineStyle, s Spread, x0, x1 float64) error {
	if math.IsNaN(s.Mean) || math.IsInf(s.Mean, 0) {
		return nil
	}
	line, err := plotter.NewLine(plotter.XYs{{X: x0, Y: s.Mean}, {X: x1, Y: s.Mean}})
	if err != nil {
		return err
	}
	line.LineStyle = style
	thumbs := []plot.Thumbnailer{line}
	if s.SD > 0 && !math.IsInf(s.SD, 0) {
		band, err := plotter.NewPolygon(plotter.XYs{{X: x0, Y: s.Mean - s.SD}, {X: x1, Y: s.Mean - s.SD}, {X: x1, Y: s.Mean + s.SD}, {X: x0, Y: s.Mean + s.SD}})
		if err != nil {
			return err
		}
		band.Color, band.LineStyle.Width = color.Gray{paleShade}, 0
		f.plot.Add(band)
		thumbs = []plot.Thumbnailer{band, line}
	}
	f.plot.Add(line)
	f.explain(name, thumbs...)
	return nil
}

// Write draws a figure in SVG, PNG or PDF.
func (f *Figure) Write(w io.Writer, format string) error {
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case FormatSVG:
		canvas = vgsvg.New(f.width, f.height)
	case FormatPDF:
		canvas = vgpdf.New(f.width, f.height)
	case FormatPNG:
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(200))}
	default:
		return fmt.Errorf("no format %q of figures: there are %s, %s and %s", format, FormatSVG, FormatPNG, FormatPDF)
	}
	c := draw.New(canvas)
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	f.plot.Draw(draw.Crop(c, vg.Points(6), -f.legendWidth-vg.Points(6), vg.Points(6), -vg.Points(8)))
	f.legend.Draw(draw.Crop(c, c.Max.X-c.Min.X-f.legendWidth, 0, vg.Points(6), -vg.Points(14)))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return fmt.Errorf("drawing figure %s: %w", f.Name, err)
	}
	_, err := w.Write(settle(b.Bytes(), format))
	return err
}

// settle takes out of a drawing what differs between runs and machines: the time in a
// PDF, and in an SVG that its font may not be there.
func settle(b []byte, format string) []byte {
	switch format {
	case FormatPDF:
		// As long as what it replaces: a PDF says at which byte its parts begin.
		return regexp.MustCompile(`/(CreationDate|ModDate) \(D:\d{14}`).ReplaceAll(b, []byte("/$1 (D:20000101000000"))
	case FormatSVG:
		return bytes.ReplaceAll(b, []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
	}
	return b
}

// WriteFigures writes each figure as SVG, PNG and PDF into plots/ below a directory and
// returns the files' paths.
func WriteFigures(dir string, figures []*Figure) (paths []string, err error) {
	if len(figures) == 0 {
		return nil, nil
	}
	dir = filepath.Join(dir, FigureDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of the plots: %w", err)
	}
	for _, f := range figures {
		for _, format := range []string{FormatSVG, FormatPNG, FormatPDF} {
			path := filepath.Join(dir, f.Name+"."+format)
			if err := atomicfile.Write(path, func(w io.Writer) error { return f.Write(w, format) }); err != nil {
				return paths, err
			}
			paths = append(paths, path)
		}
	}
	return paths, nil
}
