package montage

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The same five places in each format. They lie where MNE-Python 1.12 reads them in the
// files (mne.channels.read_custom_montage, scaled to a unit sphere): Fp1 of an EasyCap at
// theta -92, phi -72, the others by the axes.
var written = map[string]string{
	"easycap.txt": "Site\tTheta\tPhi\nX1\t-90\t-72\nC3\t-45\t0\nCz\t0\t0\nC4\t45\t0\nOz\t90\t-90\nFpz\t90\t90\n",
	"besa.sfp":    "X1 -0.309017 0.951057 0\nC3 -0.707107 0 0.707107\nCz 0 0 1\nC4 0.707107 0 0.707107\nOz 0 -1 0\nFpz 0 1 0\n",
	"asa.elc": "# ASA electrode file\nReferenceLabel\tavg\nUnitPosition\tmm\nNumberPositions=\t6\nPositions\n-30.9017 95.1057 0\n-70.7107 0 70.7107\n0 0 100\n" +
		"70.7107 0 70.7107\n0 -100 0\n0 100 0\nLabels\nX1\tC3\nCz\nC4\nOz\nFpz\n",
	"named.elc": "Positions\nX1 : -30.9017 95.1057 0\nC3 : -70.7107 0 70.7107\nCz : 0 0 100\nC4 : 70.7107 0 70.7107\nOz : 0 -100 0\nFpz : 0 100 0\n",
	"polar.loc": "1 -18 0.5 X1..\n2 -90 0.25 C3.\n3 0 0 Cz\n4 90 0.25 C4\n5 180 0.5 Oz\n6 0 0.5 Fpz\n",
	"eeglab.ced": "Number\tlabels\ttheta\tradius\tX\tY\tZ\tsph_theta\tsph_phi\tsph_radius\ttype\n1\tX1\t-18\t0.5\t.9\t.3\t0\t18\t0\t1\t\n2\tC3\t-90\t0.25\t\t\t\t\t\t\t\n" +
		"3\tCz\t0\t0\t\t\t\t\t\t\t\n4\tC4\t90\t0.25\t\t\t\t\t\t\t\n5\tOz\t180\t0.5\t\t\t\t\t\t\t\n6\tFpz\t0\t0.5\t\t\t\t\t\t\t\n7\tECG\t\t\t\t\t\t\t\t\t\n",
	"xyz.ced":        "Number\tlabels\tX\tY\tZ\n1\tX1\t0.951057\t0.309017\t0\n2\tC3\t0\t0.707107\t0.707107\n3\tCz\t0\t0\t1\n4\tC4\t0\t-0.707107\t0.707107\n5\tOz\t-1\t0\t0\n6\tFpz\t1\t0\t0\n",
	"plain.csv":      "X1,-0.309017,0.951057,0\nC3,-0.707107,0,0.707107\nCz,0,0,1\nC4,0.707107,0,0.707107\nOz,0,-1,0\nFpz,0,1,0\n",
	"named.csv":      "\ufeff\"name\",\"x\",\"y\",\"z\"\r\n\"X1\",-0.309017,0.951057,0\r\nC3,-0.707107,0,0.707107\r\nCz,0,0,1\r\nC4,0.707107,0,0.707107\r\nOz,0,-1,0\r\nFpz,0,1,0\r\n",
	"german.csv":     "label;x;y;z\rX1;-0,309017;0,951057;0\rC3;-0,707107;0;0,707107\rCz;0;0;1\rC4;0,707107;0;0,707107\rOz;0;-1;0\rFpz;0;1;0\r",
	"turned.csv":     "name,x,y,z\nX1,0.951057,0.309017,0\nC3,0,0.707107,0.707107\nCz,0,0,1\nC4,0,-0.707107,0.707107\nOz,-1,0,0\nFpz,1,0,0\n",
	"electrodes.tsv": "name\tx\ty\tz\timpedance\nX1\t-0.0309017\t0.0951057\t0\t5\nC3\t-0.0707107\t0\t0.0707107\t5\nCz\t0\t0\t0.1\t5\nC4\t0.0707107\t0\t0.0707107\t5\nOz\t0\t-0.1\t0\t5\nFpz\t0\t0.1\t0\t5\nECG\tn/a\tn/a\tn/a\tn/a\n",
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range written {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := ReadFile(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(p.Names) != 6 || strings.HasPrefix(name, "electrodes") && len(p.Without) != 1 {
			t.Errorf("%s: %q, and %q without a place", name, p.Names, p.Without)
		}
		// X1 is where Fp1 is, the others where the 10-10 system has their names.
		for channel, site := range map[string]string{"X1": "Fp1", "Cz": "Cz", "C3": "C3", "C4": "C4", "Oz": "Oz", "Fpz": "Fpz"} {
			at, ok := p.Of(channel)
			want, _ := Position(site)
			if !ok || at.Distance(want) > 1e-5 {
				t.Errorf("%s: %s lies at %.3f, want %.3f", name, channel, at, want)
			}
		}
		cells, err := p.Cells([]string{"X1", "C4"})
		if err != nil || cells[0] != 3 || cells[1] != 4*GridSize+6 {
			t.Errorf("%s: cells %v, %v", name, cells, err)
		}
	}
}

// TestReadFileOfBIDSTakesItsAxes: without names that are known, coordsystem.json says where
// the nose is.
func TestReadFileOfBIDSTakesItsAxes(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := put("sub-1_electrodes.tsv", "name\tx\ty\tz\nE1\t1\t0\t0\nE2\t0\t1\t0\n")
	for system, nose := range map[string]int{"CTF": 0, "CapTrak": 1, "": 1} {
		put("sub-1_coordsystem.json", `{"EEGCoordinateSystem": "`+system+`"}`)
		p, err := ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !(p.Points[nose].Y > 0.9) {
			t.Errorf("%q: the nose is at %v, want channel %d", system, p.Points, nose)
		}
	}
}

// TestCellsGiveEachPlaceOnce: channels of the 10-10 system keep their places, of others the
// nearest gets one.
func TestCellsGiveEachPlaceOnce(t *testing.T) {
	cz, _ := Position("Cz")
	c2, _ := Position("C2")
	p := &Positions{Names: []string{"near", "nearer", "second", "below"}, Points: []Point{
		slerp(cz, c2, 0.3), slerp(cz, c2, 0.2), slerp(cz, c2, 0.9), {0, 0, -1}}}
	cells, err := p.Cells([]string{"near", "nearer", "second", "below", "Pz"})
	if err != nil {
		t.Fatal(err)
	}
	want := []int{-1, 4*GridSize + 4, 4*GridSize + 5, -1, 6*GridSize + 4}
	for i := range want {
		if cells[i] != want[i] {
			t.Fatalf("cells %v, want %v", cells, want)
		}
	}
	if cells, err = p.Cells([]string{"nearer", "Cz"}); err != nil || cells[0] != -1 || cells[1] != 4*GridSize+4 {
		t.Errorf("beside Cz itself: %v, %v", cells, err)
	}
	if _, err = p.Cells([]string{"near", "E9"}); err == nil || !strings.Contains(err.Error(), "E9") {
		t.Errorf("an unknown channel: %v", err)
	}
}

func TestReadFileRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, word string }{
		"a.mat":          {"x", ".sfp"},
		"empty.sfp":      {"", "no channel"},
		"words.sfp":      {"Fp1 a b c", "line 1"},
		"few.sfp":        {"Fp1 1 2", "line 1"},
		"twice.sfp":      {"Fp1 1 2 3\nFP1 3 2 1", "twice"},
		"odd.elc":        {"Positions\n1 2 3\nLabels\nA\nB", "1 positions and 2 labels"},
		"two.elc":        {"Positions\n1 2\n", "line 2"},
		"short.loc":      {"1 2 3", "line 1"},
		"nocolumns.tsv":  {"a\tb\tc\n", "columns"},
		"nan.csv":        {"name,x,y,z\nA,1,2,q", "line 2"},
		"nameless.csv":   {"name,x,y,z\n,1,2,3", "names no channel"},
		"centre.sfp":     {"A 0 0 0", "centre"},
		"without.tsv":    {"name\tx\ty\tz\nA\tn/a\tn/a\tn/a", "no channel"},
		"infinite.sfp":   {"A Inf 0 0", "line 1"},
		"notanumber.sfp": {"A nan 0 0", "line 1"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), c.word) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.word)
		}
	}
	if _, err := ReadFile(filepath.Join(dir, "none.sfp")); err == nil {
		t.Error("a file that isn't there is read")
	}
}

// TestPositionsDoNotDependOnUnitOrCentre: a head measured in any unit, around any origin,
// is the same head.
func TestPositionsDoNotDependOnUnitOrCentre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.Float64Range(0.05, 200).Draw(t, "scale")
		shift := Point{rapid.Float64Range(-0.3, 0.3).Draw(t, "x"), rapid.Float64Range(-0.3, 0.3).Draw(t, "y"), rapid.Float64Range(-0.3, 0.3).Draw(t, "z")}
		p := &Positions{}
		for _, e := range Names() {
			at, _ := Position(e)
			p.add(e, Point{scale * (at.X + shift.X), scale * (at.Y + shift.Y), scale * (at.Z + shift.Z)})
		}
		if err := p.normalise(false); err != nil {
			t.Fatal(err)
		}
		for i, e := range p.Names {
			if at, _ := Position(e); at.Distance(p.Points[i]) > 5e-3 {
				t.Fatalf("%s lies at %v, want %v", e, p.Points[i], at)
			}
		}
	})
}

func FuzzReadFile(f *testing.F) {
	for name, text := range written {
		f.Add(text, filepath.Ext(name), false)
	}
	f.Fuzz(func(t *testing.T, text, ending string, als bool) {
		p, err := parseFile([]byte(text), ending, als)
		if err != nil {
			return
		}
		if len(p.Names) != len(p.Points) || len(p.Names) == 0 {
			t.Fatalf("%d names of %d points", len(p.Names), len(p.Points))
		}
		for i, q := range p.Points {
			if r := q.Distance(Point{}); !(math.Abs(r-1) < 1e-9) {
				t.Fatalf("%s lies %g from the centre", p.Names[i], r)
			}
		}
		if _, err := p.Cells(p.Names); err != nil {
			t.Fatal(err)
		}
	})
}
