package montage

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		in, want string
		kind     Kind
	}{
		{"EEG Fp1", "Fp1", Electrode},
		{"EEG Fp1-REF", "Fp1", Electrode},
		{"EEG T3-LE", "T7", Electrode},
		{"EEG C3-A2", "C3", Electrode},
		{"FP1", "Fp1", Electrode},
		{"Fc5.", "FC5", Electrode},
		{"Cz..", "Cz", Electrode},
		{"T10.", "T10", Electrode},
		{"OZ", "Oz", Electrode},
		{"T5", "P7", Electrode},
		{"EEG T6", "P8", Electrode},
		{"  eeg fz ", "Fz", Electrode},
		{"EEG A2-A1", "EEG A2-A1", Reference},
		{"A1", "A1", Reference},
		{"M2", "M2", Reference},
		{"EEG Fp1-F7", "EEG Fp1-F7", Bipolar},
		{"ECG ECG", "ECG ECG", Other},
		{"EOG", "EOG", Other},
		{"STI 014", "STI 014", Trigger},
		{"", "", Nameless},
		{"EEG", "EEG", Named},
	} {
		if got, kind := Canonical(c.in); got != c.want || kind != c.kind {
			t.Errorf("Canonical(%q) = %q, %v; want %q, %v", c.in, got, kind, c.want, c.kind)
		}
	}
}

func TestCanonicalOfItselfIsItself(t *testing.T) {
	for _, e := range Names() {
		for _, spelling := range []string{e, strings.ToUpper(e), strings.ToLower(e), "EEG " + e + "-REF", e + ".."} {
			if got, kind := Canonical(spelling); got != e || kind != Electrode {
				t.Errorf("Canonical(%q) = %q, %v", spelling, got, kind)
			}
		}
	}
}

func TestCanonicalNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { Canonical(rapid.String().Draw(t, "name")) })
}

// TestGridHasTorcheegsPlaces holds the grid and channel orders against
// torcheeg's constants.
func TestGridHasTorcheegsPlaces(t *testing.T) {
	b, err := os.ReadFile("testdata/montages.json")
	if err != nil {
		t.Fatal(err)
	}
	var sets map[string]struct {
		Channels []string          `json:"channels"`
		Grid     map[string][2]int `json:"grid"`
	}
	if err := json.Unmarshal(b, &sets); err != nil {
		t.Fatal(err)
	}
	for name, set := range sets {
		m, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Electrodes) != len(set.Channels) {
			t.Fatalf("%s has %d electrodes, want %d", name, len(m.Electrodes), len(set.Channels))
		}
		for i, c := range set.Channels {
			if !strings.EqualFold(m.Electrodes[i], c) {
				t.Errorf("%s: electrode %d is %s, want %s", name, i, m.Electrodes[i], c)
			}
			r, col, ok := OnGrid(m.Electrodes[i])
			if want := set.Grid[c]; !ok || [2]int{r, col} != want {
				t.Errorf("%s: %s at %d,%d, want %v", name, c, r, col, want)
			}
		}
	}
}

func TestMontagesAreCanonical(t *testing.T) {
	for _, m := range Montages() {
		seen := map[string]bool{}
		for _, e := range m.Electrodes {
			if c, kind := Canonical(e); c != e || kind != Electrode || seen[e] {
				t.Errorf("%s: electrode %q", m.Name, e)
			}
			seen[e] = true
		}
	}
}

func TestGridCellsNamesTheNearest(t *testing.T) {
	_, err := GridCells([]string{"Cz", "FPz2"})
	if err == nil || !strings.Contains(err.Error(), "FPz2") || !strings.Contains(err.Error(), "nearest") {
		t.Errorf("error %v", err)
	}
}

func TestDrawKeepsPlaces(t *testing.T) {
	lines := strings.Split(strings.TrimRight(Montage{Electrodes: []string{"Fp1", "Oz"}}.Draw(), "\n"), "\n")
	if len(lines) != GridSize || strings.Fields(lines[0])[3] != "Fp1" || strings.Fields(lines[8])[4] != "Oz" {
		t.Errorf("drawing\n%s", strings.Join(lines, "\n"))
	}
}

// TestPositions checks the properties of the 10-10 system's places: on the sphere,
// mirrored left and right, all apart, and the named angles.
func TestPositions(t *testing.T) {
	at := map[string]Point{}
	for _, e := range Names() {
		p, ok := Position(e)
		if !ok || math.Abs(p.Distance(Point{})-1) > 1e-12 {
			t.Errorf("%s at %+v", e, p)
		}
		for other, q := range at {
			if p.Distance(q) < 0.05 {
				t.Errorf("%s and %s lie at one place", e, other)
			}
		}
		at[e] = p
	}
	for _, pair := range [][2]string{{"Fp1", "Fp2"}, {"F7", "F8"}, {"C3", "C4"}, {"PO5", "PO6"}, {"O1", "O2"}, {"CB1", "CB2"}, {"TP9", "TP10"}} {
		l, r := at[pair[0]], at[pair[1]]
		if (Point{-l.X, l.Y, l.Z}).Distance(r) > 1e-12 || l.X >= 0 {
			t.Errorf("%s %+v and %s %+v are not mirrored", pair[0], l, pair[1], r)
		}
	}
	half := math.Sqrt(0.5)
	for e, want := range map[string]Point{"Cz": {0, 0, 1}, "Nz": {0, 1, 0}, "Iz": {0, -1, 0}, "T10": {1, 0, 0}} {
		if at[e].Distance(want) > 1e-12 {
			t.Errorf("%s at %+v, want %+v", e, at[e], want)
		}
	}
	// C4 is midway between Cz and T8, which is 72 degrees from it.
	if c4 := at["C4"]; math.Abs(c4.Z-math.Cos(math.Pi/5)) > 1e-12 || c4.X < 0.5 || c4.X > half {
		t.Errorf("C4 at %+v", c4)
	}
}
