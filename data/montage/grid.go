package montage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/internal/spelling"
)

// GridSize is the height and width of the electrode grid.
const GridSize = 9

// grid lays the head out from above, the nose at the top. It has the places of
// torcheeg's DEAP_CHANNEL_LOCATION_DICT and SEED_CHANNEL_LOCATION_DICT, which
// agree where both have an electrode, and AF7, AFz and AF8 in the free places
// between those.
var grid = [GridSize]string{
	"-   -   -   Fp1 Fpz Fp2 -   -   -  ",
	"-   AF7 -   AF3 AFz AF4 -   AF8 -  ",
	"F7  F5  F3  F1  Fz  F2  F4  F6  F8 ",
	"FT7 FC5 FC3 FC1 FCz FC2 FC4 FC6 FT8",
	"T7  C5  C3  C1  Cz  C2  C4  C6  T8 ",
	"TP7 CP5 CP3 CP1 CPz CP2 CP4 CP6 TP8",
	"P7  P5  P3  P1  Pz  P2  P4  P6  P8 ",
	"-   PO7 PO5 PO3 POz PO4 PO6 PO8 -  ",
	"-   -   CB1 O1  Oz  O2  CB2 -   -  ",
}

// OnGrid returns the row and column of an electrode on the grid.
func OnGrid(electrode string) (row, column int, ok bool) {
	for r := range grid {
		for c, e := range strings.Fields(grid[r]) {
			if e == electrode {
				return r, c, true
			}
		}
	}
	return 0, 0, false
}

// GridNames returns the electrodes that have a place on the grid.
func GridNames() []string {
	var names []string
	for r := range grid {
		for _, e := range strings.Fields(grid[r]) {
			if e != "-" {
				names = append(names, e)
			}
		}
	}
	return names
}

// GridCells returns the index row*GridSize+column of each electrode, an old name read as
// today's. Its error names the electrodes that have no place, and for the first the
// nearest name that has, or two that have one place.
func GridCells(electrodes []string) ([]int, error) {
	const mend = "say where they lie by --montage, or leave them out by channels.exclude in the manifest"
	if c := CapOf(electrodes); c != "" {
		return nil, fmt.Errorf("no place on the 9x9 grid for %s: the names are those of a %s cap and none of the 10-20 system; %s", strings.Join(electrodes, ", "), c, mend)
	}
	cells := make([]int, len(electrodes))
	at := map[int]string{}
	var missing []string
	for i, e := range electrodes {
		r, c, ok := OnGrid(e)
		if site, kind := Canonical(e); !ok && kind == Electrode {
			r, c, ok = OnGrid(site)
		}
		cells[i] = r*GridSize + c
		if !ok {
			missing = append(missing, e)
		} else if other := at[cells[i]]; other != "" {
			return nil, fmt.Errorf("%s and %s have one place on the 9x9 grid, being names of the same electrode: leave out one by channels.exclude in the manifest", other, e)
		}
		at[cells[i]] = e
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("no place on the 9x9 grid for %s (the nearest name that has one is %s): %s, or correct their names",
			strings.Join(missing, ", "), spelling.Nearest(missing[0], GridNames()), mend)
	}
	return cells, nil
}

// A Montage is a named list of electrodes in the order in which a data set or
// an electrode cap has them.
type Montage struct {
	Name       string
	About      string
	Electrodes []string

	cells []int // on the grid; nil where the names say them
}

// Montages returns the known montages.
func Montages() []Montage {
	return []Montage{
		{Name: "deap", About: "the 32 electrodes of DEAP in the order of data_preprocessed_python", Electrodes: strings.Fields(
			"Fp1 AF3 F3 F7 FC5 FC1 C3 T7 CP5 CP1 P3 P7 PO3 O1 Oz Pz Fp2 AF4 Fz F4 F8 FC6 FC2 Cz C4 T8 CP6 CP2 P4 P8 PO4 O2")},
		{Name: "seed", About: "the 62 electrodes of SEED in the order of Preprocessed_EEG", Electrodes: strings.Fields(
			"Fp1 Fpz Fp2 AF3 AF4 F7 F5 F3 F1 Fz F2 F4 F6 F8 FT7 FC5 FC3 FC1 FCz FC2 FC4 FC6 FT8 T7 C5 C3 C1 Cz C2 C4 C6 T8 " +
				"TP7 CP5 CP3 CP1 CPz CP2 CP4 CP6 TP8 P7 P5 P3 P1 Pz P2 P4 P6 P8 PO7 PO5 PO3 POz PO4 PO6 PO8 CB1 O1 Oz O2 CB2")},
		{Name: "10-20", About: "the 19 scalp electrodes of the international 10-20 system", Electrodes: strings.Fields(
			"Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2")},
		{Name: "10-10", About: "all electrodes of the 10-10 system", Electrodes: Names()},
		{Name: "tsception", About: "the 28 electrodes of TSCeption on DEAP: left hemisphere, then right, none on the midline", Electrodes: strings.Fields(
			"Fp1 AF3 F3 F7 FC5 FC1 C3 T7 CP5 CP1 P3 P7 PO3 O1 Fp2 AF4 F4 F8 FC6 FC2 C4 T8 CP6 CP2 P4 P8 PO4 O2")},
	}
}

// Find returns the montage of that name.
func Find(name string) (Montage, error) {
	var names []string
	for _, m := range Montages() {
		if strings.EqualFold(m.Name, name) {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Montage{}, spelling.Unknown("montage", name, names)
}

// Draw shows a montage on the grid as text, a dot for each empty place.
func (m Montage) Draw() string {
	at := map[int]string{}
	width := 4
	for i, c := range m.Cells() {
		at[c] = m.Electrodes[i]
		width = max(width, len(m.Electrodes[i])+1)
	}
	var b strings.Builder
	for cell := range GridSize * GridSize {
		e, ok := at[cell]
		if !ok {
			e = "."
		}
		if cell%GridSize == GridSize-1 {
			fmt.Fprintln(&b, e)
		} else {
			fmt.Fprintf(&b, "%-*s", width, e)
		}
	}
	return b.String()
}

// Cells returns the index row*GridSize+column of each electrode on the grid, -1 for one that
// has no place there.
func (m Montage) Cells() []int {
	if m.cells != nil {
		return m.cells
	}
	cells := make([]int, len(m.Electrodes))
	for i, e := range m.Electrodes {
		cells[i] = -1
		if r, c, ok := OnGrid(e); ok {
			cells[i] = r*GridSize + c
		}
	}
	return cells
}

// Montage is the channels of the file, without nasion and ears, where they lie on the grid.
func (p *Positions) Montage(name string) (Montage, error) {
	m := Montage{Name: name, About: "the channels of a file"}
	for _, n := range p.Names {
		if !slices.Contains(landmarks, strings.ToUpper(n)) {
			m.Electrodes = append(m.Electrodes, n)
		}
	}
	var err error
	m.cells, err = p.Cells(m.Electrodes)
	return m, err
}
