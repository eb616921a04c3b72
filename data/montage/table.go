package montage

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// columns are the names that tables have for a channel's properties.
var columns = map[string][]string{
	"name":   {"name", "names", "label", "labels", "channel", "ch_name", "ch", "electrode", "electrodes", "site"},
	"x":      {"x", "pos_x", "x_mm", "x(mm)"},
	"y":      {"y", "pos_y", "y_mm", "y(mm)"},
	"z":      {"z", "pos_z", "z_mm", "z(mm)"},
	"theta":  {"theta"},
	"phi":    {"phi"},
	"radius": {"radius"},
}

// A table is lines of columns.
type table struct {
	separator string
	at        map[string]int // the columns
	polar     []string       // two columns that say the place instead of x, y and z
}

// readTable reads a table whose first line names its columns, as EEGLAB's .ced and BIDS
// electrodes.tsv do, or one of a name and three numbers (or a number, these and a name).
func (p *Positions) readTable(text string) error {
	var t *table
	return lines(text, func(_ int, line string) error {
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "%") {
			return nil
		}
		if t == nil {
			var header bool
			if t, header = newTable(line); t == nil {
				return fmt.Errorf("%q names no columns name, x, y and z (or labels, theta and radius), and is no name and three numbers", line)
			} else if header {
				return nil
			}
		}
		return t.row(p, line)
	})
}

// newTable looks at the first line of a table; header says that it names columns.
func newTable(line string) (t *table, header bool) {
	t = &table{separator: separatorOf(line), at: map[string]int{}}
	cells := t.split(line)
	for i, c := range cells {
		for what, names := range columns {
			if _, has := t.at[what]; !has && slices.Contains(names, strings.ToLower(c)) {
				t.at[what] = i
			}
		}
	}
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { _, ok := t.at[n]; return !ok })
	}
	switch {
	case has("name", "theta", "radius"):
		t.polar = []string{"theta", "radius"}
		return t, true
	case has("name", "theta", "phi"):
		t.polar = []string{"theta", "phi"}
		return t, true
	case has("name", "x", "y", "z"):
		return t, true
	}
	if len(cells) == 5 { // EEGLAB's .xyz: number, x, y, z, name
		if _, err := numbers(cells[1:4]); err == nil {
			t.at = map[string]int{"x": 1, "y": 2, "z": 3, "name": 4}
			return t, false
		}
	}
	if len(cells) >= 4 {
		if _, err := numbers(cells[1:4]); err == nil {
			t.at = map[string]int{"name": 0, "x": 1, "y": 2, "z": 3}
			return t, false
		}
	}
	return nil, false
}

// separatorOf is the separator of a line's columns, empty for blanks.
func separatorOf(line string) string {
	for _, s := range []string{"\t", ";", ","} {
		if strings.Count(line, s) >= 2 {
			return s
		}
	}
	return ""
}

func (t *table) split(line string) []string {
	if t.separator == "" {
		return strings.Fields(line)
	}
	cells := strings.Split(line, t.separator)
	for i, c := range cells {
		cells[i] = strings.Trim(strings.TrimSpace(c), `"'`)
	}
	return cells
}

// row reads a channel. One whose place is left open ("n/a" in BIDS) has none.
func (t *table) row(p *Positions, line string) error {
	cells := t.split(line)
	cell := func(what string) string {
		if i := t.at[what]; i < len(cells) {
			return cells[i]
		}
		return ""
	}
	name := strings.TrimRight(cell("name"), ". ")
	if name == "" {
		return fmt.Errorf("%q names no channel", line)
	}
	want := []string{"x", "y", "z"}
	if t.polar != nil {
		want = t.polar
	}
	var v []float64
	for _, w := range want {
		c := cell(w)
		if slices.Contains([]string{"", "n/a", "nan", "na", "[]"}, strings.ToLower(c)) {
			p.Without = append(p.Without, name)
			return nil
		}
		x, err := number(c)
		if err != nil {
			return fmt.Errorf("channel %s: %w", name, err)
		}
		v = append(v, x)
	}
	switch {
	case t.polar == nil:
		p.add(name, Point{v[0], v[1], v[2]})
		return nil
	case want[1] == "radius":
		p.add(name, Polar(v[0], v[1]))
	default: // from the vertex, and from the right ear towards the nose (EasyCap, BioSemi)
		p.add(name, sphere(v[0]*math.Pi/180, v[1]*math.Pi/180))
	}
	p.polar = true
	return nil
}
