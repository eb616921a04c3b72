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
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/eegprune/eegprune/internal/atomicfile"
)

// The formats of figures.
const (
	FormatSVG = "svg"
	FormatPNG = "png" // 200 dots an inch
	FormatPDF = "pdf"
)

// FigureDir is where [WriteFigures] puts figures below a study's directory.
const FigureDir = "plots"

// A Figure is panels beside and below each other under one key. The same results give
// the same bytes.
type Figure struct {
	Name    string // of its files, without an ending
	Caption string // plain text

	model   string // of which it is; empty where of several
	panels  []*panel
	columns int
	height  vg.Length // of a panel
	key     []entry
}

// A panel is one plot of a figure.
type panel struct {
	*plot.Plot
	low, high float64 // of the points drawn, without bars
}

// span widens the range of the points drawn to y.
func (p *panel) span(y float64) { p.low, p.high = min(p.low, y), max(p.high, y) }

// An entry explains a mark in the key.
type entry struct {
	name   string
	thumbs []plot.Thumbnailer
}

const (
	figureWidth = 7.2 * vg.Inch
	margin      = 6 // points around and between panels
	thumbWidth  = 26
	keySpace    = 4 // between a thumb and its text
	keyGap      = 12
)

func sans(size vg.Length) font.Font {
	return font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
}

func newFigure(name, caption string, columns int) *Figure {
	return &Figure{Name: name, Caption: caption, columns: columns, height: 2.1 * vg.Inch}
}

// panel adds an empty panel.
func (f *Figure) panel(title, x, y string) *panel {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.TextStyle.Font = sans(9.5)
	p.Title.Padding = vg.Points(3)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = sans(9)
		axis.Label.Padding = vg.Points(2)
		axis.Tick.Label.Font = sans(8)
		axis.Tick.Length = vg.Points(4)
		axis.Padding = vg.Points(2)
		axis.Tick.Marker = plot.TickerFunc(func(low, high float64) []plot.Tick { return ticks(low, high, f.mostTicks()) })
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{paleShade}, color.Gray{paleShade}
	p.Add(grid)
	f.panels = append(f.panels, &panel{p, math.Inf(1), math.Inf(-1)})
	return f.panels[len(f.panels)-1]
}

// mostTicks is how many ticks leave room for their labels.
func (f *Figure) mostTicks() int {
	switch {
	case f.columns > 3:
		return 4
	case f.columns > 1:
		return 5
	}
	return 8
}

// columnsFor is how many columns so many panels fill best.
func columnsFor(panels int) int {
	switch {
	case panels <= 4:
		return max(1, panels)
	case panels == 7 || panels == 8:
		return 4
	}
	return 3
}

// ticks marks up to so many multiples of 1, 2 or 5 times a power of ten.
func ticks(low, high float64, most int) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/float64(most))))
	for _, by := range []float64{2, 2.5, 2, 2} {
		if (high-low)/step <= float64(most) {
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

// widen leaves room above and below the points and bars.
func (p *panel) widen() {
	y := &p.Y
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

// alike gives all panels the same y axis, and leaves room above and below. The points
// decide, and bars as far as they reach no further beyond the points' range than it is wide: those of
// few folds would leave no room for anything else. They are cut at the edge.
func (f *Figure) alike() {
	low, high := math.Inf(1), math.Inf(-1)
	barLow, barHigh := low, high
	for _, p := range f.panels {
		low, high = min(low, p.low), max(high, p.high)
		barLow, barHigh = min(barLow, p.Y.Min), max(barHigh, p.Y.Max)
	}
	room := max(high-low, 5)
	for _, p := range f.panels {
		p.Y.Min, p.Y.Max = max(barLow, low-room), min(barHigh, high+room)
		p.widen()
	}
}

// explain adds an entry to the key, once.
func (f *Figure) explain(name string, thumbs ...plot.Thumbnailer) {
	for _, e := range f.key {
		if e.name == name {
			return
		}
	}
	f.key = append(f.key, entry{name, thumbs})
}

// A swatch is a colour in the key.
type swatch struct{ color.Color }

func (s swatch) Thumbnail(c *draw.Canvas) {
	y := (c.Min.Y + c.Max.Y) / 2
	h := vg.Points(4)
	c.FillPolygon(s.Color, []vg.Point{{X: c.Min.X + vg.Points(6), Y: y - h}, {X: c.Max.X - vg.Points(6), Y: y - h}, {X: c.Max.X - vg.Points(6), Y: y + h}, {X: c.Min.X + vg.Points(6), Y: y + h}})
}

// A point of a series, with the ends of its interval; NaN where it has none.
type point struct{ x, y, low, high float64 }

// points are the data of gonum's error bars.
type points []point

func (p points) Len() int                         { return len(p) }
func (p points) XY(i int) (x, y float64)          { return p[i].x, p[i].y }
func (p points) YError(i int) (low, high float64) { return p[i].y - p[i].low, p[i].high - p[i].y }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// drawable leaves out points and bars that are not finite.
func drawable(all []point) (drawn, barred points) {
	for _, p := range all {
		if !finite(p.x) || !finite(p.y) {
			continue
		}
		drawn = append(drawn, p)
		if finite(p.low) && finite(p.high) {
			barred = append(barred, p)
		}
	}
	return drawn, barred
}

// series draws points joined by lines, with the bars of their intervals.
func (p *panel) series(l look, radius float64, all []point) error {
	drawn, barred := drawable(all)
	if len(drawn) == 0 {
		return nil
	}
	for _, q := range drawn {
		p.span(q.y)
	}
	line, dots, err := plotter.NewLinePoints(drawn)
	if err != nil {
		return err
	}
	line.LineStyle, dots.GlyphStyle = l.line(1.2), l.dot(radius)
	if len(barred) > 0 {
		bars, err := plotter.NewYErrorBars(barred)
		if err != nil {
			return err
		}
		bars.LineStyle, bars.CapWidth = draw.LineStyle{Color: l.color, Width: vg.Points(0.6)}, vg.Points(3)
		p.Add(bars)
	}
	p.Add(line, dots)
	return nil
}

// curve draws a line without glyphs.
func (p *panel) curve(style draw.LineStyle, all []point) error {
	drawn, _ := drawable(all)
	if len(drawn) == 0 {
		return nil
	}
	for _, q := range drawn {
		p.span(q.y)
	}
	line, err := plotter.NewLine(drawn)
	if err != nil {
		return err
	}
	line.LineStyle = style
	p.Add(line)
	return nil
}

// level draws a horizontal line across the panel.
func (p *panel) level(style draw.LineStyle, y float64) {
	if !finite(y) {
		return
	}
	line := plotter.NewFunction(func(float64) float64 { return y })
	line.LineStyle, line.Samples = style, 2
	p.Add(line)
	p.Y.Min, p.Y.Max = min(p.Y.Min, y), max(p.Y.Max, y)
	p.span(y)
}

// thumbs show a look in the key.
func (l look) thumbs() []plot.Thumbnailer {
	line, dots, err := plotter.NewLinePoints(points{{}})
	if err != nil {
		return nil
	}
	line.LineStyle, dots.GlyphStyle = l.line(1.2), l.dot(3)
	return []plot.Thumbnailer{line, dots}
}

// lineThumb shows a line in the key.
func lineThumb(style draw.LineStyle) plot.Thumbnailer {
	return &plotter.Line{LineStyle: style}
}

// rows are the panels in rows; the last is filled up with nil.
func (f *Figure) rows() [][]*plot.Plot {
	var rows [][]*plot.Plot
	for i, p := range f.panels {
		if i%f.columns == 0 {
			rows = append(rows, make([]*plot.Plot, f.columns))
		}
		rows[len(rows)-1][i%f.columns] = p.Plot
	}
	return rows
}

// keyLines lays the key out in lines that fit the width.
func (f *Figure) keyLines() [][]entry {
	style := f.keyStyle()
	var lines [][]entry
	used := figureWidth
	for _, e := range f.key {
		width := thumbWidth + keySpace + style.Width(e.name) + keyGap
		if used+width > figureWidth-2*margin {
			lines, used = append(lines, nil), 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], e)
		used += width
	}
	return lines
}

func (f *Figure) keyStyle() text.Style {
	return text.Style{Color: color.Black, Font: sans(9), YAlign: -0.5, Handler: plot.DefaultTextHandler}
}

const keyLine = 15 // points

// drawKey draws the key at the top.
func (f *Figure) drawKey(c draw.Canvas) {
	style := f.keyStyle()
	for i, line := range f.keyLines() {
		y := c.Max.Y - vg.Points(margin) - keyLine*vg.Length(i) - keyLine/2
		x := c.Min.X + margin
		for _, e := range line {
			thumb := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: x, Y: y - keyLine/2}, Max: vg.Point{X: x + thumbWidth, Y: y + keyLine/2}}}
			for _, t := range e.thumbs {
				t.Thumbnail(&thumb)
			}
			c.FillText(style, vg.Point{X: x + thumbWidth + keySpace, Y: y}, e.name)
			x += thumbWidth + keySpace + style.Width(e.name) + keyGap
		}
	}
}

// Write draws a figure in SVG, PNG or PDF.
func (f *Figure) Write(w io.Writer, format string) error {
	rows := f.rows()
	keyHeight := keyLine * vg.Length(len(f.keyLines()))
	width, height := figureWidth, keyHeight+f.height*vg.Length(len(rows))+4*margin
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case FormatSVG:
		canvas = vgsvg.New(width, height)
	case FormatPDF:
		canvas = vgpdf.New(width, height)
	case FormatPNG:
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(200))}
	default:
		return fmt.Errorf("no format %q of figures: there are %s, %s and %s", format, FormatSVG, FormatPNG, FormatPDF)
	}
	c := draw.New(canvas)
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	f.drawKey(c)
	if len(rows) > 0 {
		body := draw.Crop(c, margin, -margin, margin, -keyHeight-2*margin)
		tiles := draw.Tiles{Rows: len(rows), Cols: f.columns, PadX: 2 * margin, PadY: 2 * margin}
		for i, row := range plot.Align(rows, tiles, body) {
			for k, at := range row {
				if rows[i][k] != nil {
					rows[i][k].Draw(at)
				}
			}
		}
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return fmt.Errorf("drawing figure %s: %w", f.Name, err)
	}
	_, err := w.Write(settle(b.Bytes(), format))
	return err
}

// settle makes a drawing the same on all runs and machines: it fixes the time in a PDF, and names
// other fonts for an SVG where its own is missing.
func settle(b []byte, format string) []byte {
	switch format {
	case FormatPDF:
		// As long as the original: a PDF says at which byte its parts begin.
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
