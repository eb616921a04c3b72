package montage

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/internal/spelling"
)

// maxFile bounds a montage file in bytes; those of a thousand channels have 100 kB.
const maxFile = 4 << 20

// Positions are places of channels on the head, by their names.
type Positions struct {
	Names  []string // as the file has them
	Points []Point
	// Without are names that the file lists without a place.
	Without []string

	polar bool // the file has angles, whose axes need no guess
}

// Extensions returns the endings of the montage files that [ReadFile] reads.
func Extensions() []string {
	return []string{".sfp", ".elc", ".loc", ".locs", ".eloc", ".ced", ".csv", ".tsv", ".txt", ".xyz"}
}

// ReadFile reads where channels lie: BESA's and EGI's .sfp, ASA's .elc, EEGLAB's .loc and
// .ced, tables with a line for names (.csv, .tsv, BIDS electrodes.tsv) or without one.
// The points are moved to a unit sphere around their centre. Axes are those of the format,
// of the coordsystem.json beside a BIDS file, or, where three or more channels have names
// of the 10-20 system, those that put them on their places.
func ReadFile(path string) (*Positions, error) {
	coordsystem := ""
	if base, ok := strings.CutSuffix(path, "electrodes.tsv"); ok {
		coordsystem = base + "coordsystem.json"
	}
	return ReadElectrodes(path, coordsystem)
}

// ReadElectrodes is [ReadFile] for an electrodes.tsv of BIDS whose coordsystem.json is known:
// a path, of which none need be there.
func ReadElectrodes(path, coordsystem string) (*Positions, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the montage: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("it has more than %d bytes, which no list of channels has", maxFile)
	}
	var p *Positions
	if err == nil {
		p, err = parseFile(b, strings.ToLower(filepath.Ext(path)), isALS(coordsystem))
	}
	if err != nil {
		return nil, fmt.Errorf("montage %s: %w", path, err)
	}
	return p, nil
}

// isALS reports whether a coordsystem.json says that x points to the nose and y to the left
// ear.
func isALS(coordsystem string) bool {
	b, err := os.ReadFile(coordsystem)
	if err != nil {
		return false
	}
	var system struct{ EEGCoordinateSystem string }
	if json.Unmarshal(b, &system) != nil {
		return false
	}
	return slices.Contains([]string{"CTF", "EEGLAB", "EEGLAB-HJ", "4DBti", "KitYokogawa"}, system.EEGCoordinateSystem)
}

// parseFile reads a file with that ending. als says that x points to the nose and y to the
// left, where the format doesn't say.
func parseFile(b []byte, ending string, als bool) (*Positions, error) {
	text := strings.TrimPrefix(string(b), "\ufeff")
	p := &Positions{}
	var err error
	switch ending {
	case ".sfp":
		err = p.readLines(text)
	case ".elc":
		err = p.readELC(text)
	case ".loc", ".locs", ".eloc":
		err = p.readLOC(text)
	case ".ced", ".csv", ".tsv", ".txt", ".xyz":
		err = p.readTable(text)
		als = als || ending == ".ced" || ending == ".xyz"
	default:
		return nil, fmt.Errorf("files ending in %q are no montages that are read: there are %s", ending, strings.Join(Extensions(), ", "))
	}
	if err != nil {
		return nil, err
	}
	if len(p.Points) == 0 {
		return nil, fmt.Errorf("it has no channel with a place")
	}
	seen := map[string]bool{}
	for _, n := range p.Names {
		if seen[strings.ToUpper(n)] {
			return nil, fmt.Errorf("it has channel %s twice", n)
		}
		seen[strings.ToUpper(n)] = true
	}
	return p, p.normalise(als && !p.polar)
}

func (p *Positions) add(name string, at Point) {
	p.Names, p.Points = append(p.Names, strings.TrimSpace(name)), append(p.Points, at)
}

// lines calls do for each line that isn't empty, with its number.
func lines(text string, do func(n int, line string) error) error {
	s := bufio.NewScanner(strings.NewReader(text))
	s.Buffer(nil, maxFile)
	s.Split(splitLines)
	for n := 1; s.Scan(); n++ {
		if line := strings.TrimSpace(s.Text()); line != "" {
			if err := do(n, line); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	return s.Err()
}

// splitLines ends lines at \n, \r\n and the lone \r of old Macs.
func splitLines(b []byte, end bool) (advance int, token []byte, err error) {
	if i := bytes.IndexAny(b, "\r\n"); i >= 0 {
		return i + 1, b[:i], nil
	}
	if end && len(b) > 0 {
		return len(b), b, nil
	}
	return 0, nil, nil
}

func number(t string) (float64, error) {
	v, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(t), ",", ".", 1), 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1e9 {
		return 0, fmt.Errorf("%q is not a number", t)
	}
	return v, nil
}

func numbers(list []string) (v [3]float64, err error) {
	if len(list) != 3 {
		return v, fmt.Errorf("it has %d numbers, not three", len(list))
	}
	for i, t := range list {
		if v[i], err = number(t); err != nil {
			return v, err
		}
	}
	return v, nil
}

// readLines reads lines of a name and three numbers.
func (p *Positions) readLines(text string) error {
	return lines(text, func(_ int, line string) error {
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "//") {
			return nil
		}
		f := strings.Fields(line)
		if len(f) < 4 {
			return fmt.Errorf("%q is no name and three numbers", line)
		}
		v, err := numbers(f[len(f)-3:])
		if err == nil {
			p.add(strings.Join(f[:len(f)-3], " "), Point{v[0], v[1], v[2]})
		}
		return err
	})
}

// readELC reads ASA's electrode files: a list of positions and one of labels, or both in
// one ("Fp1 : 1 2 3").
func (p *Positions) readELC(text string) error {
	part := ""
	var points []Point
	var labels []string
	err := lines(text, func(_ int, line string) error {
		switch head := strings.ToLower(line); {
		case strings.HasPrefix(line, "#"):
		case head == "positions" || head == "labels":
			part = head
		case strings.HasPrefix(head, "numberpolygons") || head == "polygons":
			part = "end"
		case part == "labels":
			labels = append(labels, strings.Fields(line)...)
		case part == "positions":
			name, rest, named := strings.Cut(line, ":")
			if !named {
				rest = line
			}
			v, err := numbers(strings.Fields(rest))
			if err != nil {
				return err
			}
			if points = append(points, Point{v[0], v[1], v[2]}); named {
				labels = append(labels, strings.TrimSpace(name))
			}
		}
		return nil
	})
	if err == nil && len(points) != len(labels) {
		err = fmt.Errorf("it has %d positions and %d labels", len(points), len(labels))
	}
	if err != nil {
		return err
	}
	for i, l := range labels {
		p.add(l, points[i])
	}
	return nil
}

// readLOC reads EEGLAB's polar places: number, degrees from the nose to the right, radius
// (0.5 at the height of the ears), name.
func (p *Positions) readLOC(text string) error {
	return lines(text, func(_ int, line string) error {
		f := strings.Fields(line)
		if len(f) < 4 || strings.HasPrefix(line, "%") || strings.HasPrefix(line, "#") {
			if strings.HasPrefix(line, "%") || strings.HasPrefix(line, "#") {
				return nil
			}
			return fmt.Errorf("%q is no number, angle, radius and name", line)
		}
		theta, err := number(f[1])
		if err != nil {
			return err
		}
		radius, err := number(f[2])
		if err == nil {
			p.polar = true
			p.add(strings.TrimRight(strings.Join(f[3:], " "), "."), Polar(theta, radius))
		}
		return err
	})
}

// Placed are places that a recording says itself, on a head of any size: X to the right
// ear, Y to the nose, Z up.
func Placed(names []string, points []Point) (*Positions, error) {
	p := &Positions{Names: names, Points: points, polar: true}
	return p, p.normalise(false)
}

// Polar is the place on the unit sphere of a channel on EEGLAB's disc: theta degrees from
// the nose to the right, and radius from the middle, where the ears have 0.5.
func Polar(theta, radius float64) Point {
	a, down := theta*math.Pi/180, radius*math.Pi
	return Point{math.Sin(down) * math.Sin(a), math.Sin(down) * math.Cos(a), math.Cos(down)}
}

// normalise moves the points to the sphere of the 10-10 system and turns their axes.
func (p *Positions) normalise(als bool) error {
	centre := p.centre()
	for i, q := range p.Points {
		q = Point{q.X - centre.X, q.Y - centre.Y, q.Z - centre.Z}
		r := q.Distance(Point{})
		if r == 0 {
			return fmt.Errorf("channel %s lies in the centre of the head", p.Names[i])
		}
		p.Points[i] = Point{q.X / r, q.Y / r, q.Z / r}
	}
	turned := make([]Point, len(p.Points))
	for i, q := range p.Points {
		turned[i] = Point{-q.Y, q.X, q.Z}
	}
	if !p.polar {
		asIs, known := p.misplaced(p.Points)
		other, _ := p.misplaced(turned)
		// Names of known places tell the axes; else als does.
		if known >= few && other < asIs/2 || als && !(known >= few && asIs < other/2) {
			p.Points = turned
		}
	}
	p.raise()
	return nil
}

// few known electrodes are enough to tell how a file puts them on the head.
const few = 3

// headRise is how far up from where it is measured a place lies in the 10-10 system, which
// takes nasion and inion for the ends of a half circle. On heads they lie lower.
const headRise = 0.8

// raise brings the points to where the 10-10 system has them, by the electrodes of known
// places, or else by nasion and ears.
func (p *Positions) raise() {
	var ratios, ends []float64
	for i, n := range p.Names {
		down := math.Acos(max(-1, min(1, p.Points[i].Z)))
		if slices.Contains(landmarks, strings.ToUpper(n)) && down > 0 {
			ends = append(ends, math.Pi/2/down)
			continue
		}
		site, kind := Canonical(n)
		if at, ok := Position(site); ok && kind == Electrode && p.cap() == "" && down > 0.5 {
			ratios = append(ratios, math.Acos(max(-1, min(1, at.Z)))/down)
		}
	}
	rise := headRise
	switch {
	case len(ratios) >= few:
		rise = middle(ratios)
	case len(ends) >= few:
		rise = middle(ends)
	}
	rise = max(0.6, min(1.2, rise)) // no cap reaches farther
	for i, q := range p.Points {
		down := rise * math.Acos(max(-1, min(1, q.Z)))
		p.Points[i] = sphere(down, math.Atan2(q.Y, q.X))
	}
}

func middle(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// landmarks are the names in files of the nasion and the points before the ears.
var landmarks = []string{"NZ", "NAS", "NASION", "LPA", "RPA", "FIDNZ", "FIDT9", "FIDT10", "NZ_FID", "LEFT EAR", "RIGHT EAR"}

// cap is [CapOf] the channels.
func (p *Positions) cap() string {
	return CapOf(slices.DeleteFunc(slices.Clone(p.Names), func(n string) bool { return slices.Contains(landmarks, strings.ToUpper(n)) }))
}

// misplaced is how far, in the middle, known electrodes are from their places.
func (p *Positions) misplaced(points []Point) (distance float64, known int) {
	if p.cap() != "" {
		return 0, 0
	}
	for i, n := range p.Names {
		site, kind := Canonical(n)
		if at, ok := Position(site); ok && kind == Electrode {
			distance += at.Distance(points[i])
			known++
		}
	}
	return distance / float64(max(1, known)), known
}

// centre is that of the sphere on which the points lie nearest to, or the origin where they
// lie on one around that, or on none.
func (p *Positions) centre() Point {
	var norms []float64
	for _, q := range p.Points {
		norms = append(norms, q.Distance(Point{}))
	}
	least, most := slices.Min(norms), slices.Max(norms)
	const enough = 8
	if most <= 1.005*least || len(norms) < enough {
		return Point{}
	}
	// |q|^2 = 2 c.q + d by least squares, in units of the largest distance.
	var a [4][5]float64
	for i, q := range p.Points {
		row := [5]float64{2 * q.X / most, 2 * q.Y / most, 2 * q.Z / most, 1, norms[i] * norms[i] / most / most}
		for j := range 4 {
			for k := range row {
				a[j][k] += row[j] * row[k]
			}
		}
	}
	x, ok := solve(a)
	if !ok {
		return Point{}
	}
	c := Point{x[0] * most, x[1] * most, x[2] * most}
	var radii []float64
	for _, q := range p.Points {
		radii = append(radii, q.Distance(c))
	}
	// A head is round enough; points that are not are left where they are.
	if slices.Max(radii) > 2*slices.Min(radii) || c.Distance(Point{}) > slices.Max(radii) {
		return Point{}
	}
	return c
}

// solve solves four equations.
func solve(a [4][5]float64) (x [4]float64, ok bool) {
	for i := range 4 {
		pivot := i
		for j := i + 1; j < 4; j++ {
			if math.Abs(a[j][i]) > math.Abs(a[pivot][i]) {
				pivot = j
			}
		}
		if math.Abs(a[pivot][i]) < 1e-9 {
			return x, false
		}
		a[i], a[pivot] = a[pivot], a[i]
		for j := i + 1; j < 4; j++ {
			for k := 4; k >= i; k-- {
				a[j][k] -= a[i][k] * a[j][i] / a[i][i]
			}
		}
	}
	for i := 3; i >= 0; i-- {
		x[i] = a[i][4]
		for j := i + 1; j < 4; j++ {
			x[i] -= a[i][j] * x[j]
		}
		x[i] /= a[i][i]
	}
	return x, true
}

// Of returns where a channel lies: by its name, or the electrode that it names, or, where
// the names are no cap's, its place in the 10-10 system.
func (p *Positions) Of(name string) (Point, bool) {
	for i, n := range p.Names {
		if strings.EqualFold(n, strings.TrimPrefix(name, BioSemi+" ")) {
			return p.Points[i], true
		}
	}
	site, kind := Canonical(name)
	if kind != Electrode {
		return Point{}, false
	}
	for i, n := range p.Names {
		if other, k := Canonical(n); k == Electrode && other == site {
			return p.Points[i], true
		}
	}
	if p.cap() != "" {
		return Point{}, false
	}
	return Position(site)
}

// farthest is how far from the nearest place of the grid, on the unit sphere, a channel may
// lie; places are about 0.35 apart.
const farthest = 0.35

// Cells places channels on the grid: electrodes of the 10-10 system on their own places, those
// of an EGI HydroCel net that stand for one on its place, each of the others on the nearest
// place. Where several are nearest to one place, the closest has it; the others, and channels
// far from all places, have the cell -1. Its error names the channels that the file doesn't
// have.
func (p *Positions) Cells(channels []string) ([]int, error) {
	type pair struct {
		channel, cell int
		distance      float64
	}
	var nearest []pair
	var missing []string
	named := CapOf(channels) == ""
	sites := p.equivalents()
	for i, name := range channels {
		if r, c, ok := OnGrid(sites[strings.ToUpper(name)]); ok {
			nearest = append(nearest, pair{i, r*GridSize + c, -0.5})
			continue
		}
		if r, c, ok := OnGrid(name); ok && named {
			nearest = append(nearest, pair{i, r*GridSize + c, -1})
			continue
		}
		at, ok := p.Of(name)
		if !ok {
			missing = append(missing, name)
			continue
		}
		best := pair{i, -1, farthest}
		for _, e := range GridNames() {
			site, _ := Position(e)
			if d := site.Distance(at); d < best.distance {
				r, c, _ := OnGrid(e)
				best.cell, best.distance = r*GridSize+c, d
			}
		}
		nearest = append(nearest, best)
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("the montage has no place for %s (the nearest name that has one is %s): add them, or leave them out by channels.exclude in the manifest", strings.Join(missing, ", "), spelling.Nearest(missing[0], p.Names))
	}
	slices.SortStableFunc(nearest, func(a, b pair) int { return cmp.Compare(a.distance, b.distance) })
	cells := make([]int, len(channels))
	taken := map[int]bool{-1: true}
	for _, x := range nearest {
		if cells[x.channel] = x.cell; taken[x.cell] {
			cells[x.channel] = -1
		}
		taken[x.cell] = true
	}
	return cells, nil
}
