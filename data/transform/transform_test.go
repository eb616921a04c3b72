package transform

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/data/montage"
)

func signalForm(electrodes []string, samples int) Form {
	return Form{Shape: []int{len(electrodes), samples}, Electrodes: electrodes, Rate: 128, Time: true}
}

func TestPipelineIsReadFromYAML(t *testing.T) {
	var p Pipeline
	err := yaml.Unmarshal([]byte("- name: BandDifferentialEntropy\n  args: {bands: {slow: [8, 14], fast: [4, 8]}}\n- name: ToGrid\n"), &p)
	if err != nil {
		t.Fatal(err)
	}
	want := Pipeline{&BandDifferentialEntropy{BandFilter{Order: 5, Filter: FilterSOS, Bands: Bands{{"slow", 8, 14}, {"fast", 4, 8}}}}, &ToGrid{}}
	if d := cmp.Diff(want, p); d != "" {
		t.Error(d)
	}
}

func TestPipelineSurvivesWritingAndReading(t *testing.T) {
	axis := 1
	want := Pipeline{&PickElectrode{Electrodes: []string{"Cz", "Fz"}}, &MeanStdNormalize{Axis: &axis},
		NewBandDifferentialEntropy(seedBands()), &ToGrid{ApplyToBaseline: true}, &BaselineRemoval{}, &To2d{}}
	for name, through := range map[string]func() ([]byte, func([]byte, any) error, error){
		"JSON": func() ([]byte, func([]byte, any) error, error) {
			b, err := json.Marshal(want)
			return b, json.Unmarshal, err
		},
		"YAML": func() ([]byte, func([]byte, any) error, error) {
			b, err := yaml.Marshal(want)
			return b, func(b []byte, v any) error { return yaml.Unmarshal(b, v) }, err
		},
	} {
		b, read, err := through()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got Pipeline
		if err := read(b, &got); err != nil {
			t.Fatalf("%s: %v in\n%s", name, err, b)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestPipelineRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`[{"name": "ToGird"}]`:                                                 "did you mean ToGrid",
		`[{"name": "ToGrid", "args": {"size": 9}}]`:                            "size",
		`[{"name": "BandDifferentialEntropy", "args": {"bands": {"a": [1]}}}]`: "two edges",
		`[{"name": "BandDifferentialEntropy", "args": {"bands": [1]}}]`:        "names and edges",
		`[{"name": "MeanStdNormalize", "args": {"axis": "time"}}]`:             "MeanStdNormalize",
		`{"name": "ToGrid"}`:                                                   "list of names",
		`[{"nam": "ToGrid"}]`:                                                  "nam",
		`[{"name": "ToGrid"}] extra`:                                           "follows",
	} {
		var p Pipeline
		err := p.UnmarshalJSON([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", text, err, want)
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	signal := signalForm([]string{"Fp1", "Cz"}, 128)
	odd := signalForm([]string{"Fp1", "Qz"}, 128)
	axis := 7
	for _, c := range []struct {
		pipeline Pipeline
		in       Form
		want     string
	}{
		{Pipeline{&ToGrid{}}, odd, "Qz"},
		{Pipeline{&To2d{}, NewBandDifferentialEntropy(DefaultBands())}, signal, "takes a signal"},
		{Pipeline{NewBandDifferentialEntropy(Bands{{"high", 50, 70}})}, signal, "band high"},
		{Pipeline{NewBandDifferentialEntropy(nil)}, signal, "no bands"},
		{Pipeline{&BaselineRemoval{}}, signal, "no baseline"},
		{Pipeline{&MeanStdNormalize{Axis: &axis}}, signal, "axis 7"},
		{Pipeline{&PickElectrode{Electrodes: []string{"Fpz"}}}, signal, "nearest name that they have is Fp1"},
		{Pipeline{&PickElectrode{}}, signal, "no electrodes"},
		{Pipeline{&Downsample{}}, signal, "num_points is 0"},
		{Pipeline{&Downsample{NumPoints: 129}}, signal, "num_points is 129"},
		{Pipeline{&RearrangeElectrode{Target: []string{"seed"}, Missing: "random"}}, signal, "mean or zero"},
		{Pipeline{&RearrangeElectrode{Missing: "zero"}}, signal, "no electrodes"},
		{Pipeline{&BandPowerSpectralDensity{Bands: Bands{{"low", 0.1, 0.5}}}}, signal, "no bins"},
		{Pipeline{&BandPowerSpectralDensity{Windows: 100, Bands: DefaultBands()}}, signal, "too short"},
		{Pipeline{&BandSignal{BandFilter{Order: 5, Bands: DefaultBands(), Filter: "fir"}}}, signal, "sos and ba"},
		{Pipeline{&To2d{}, &BandSignal{defaultBandFilter()}}, signal, "takes a signal"},
	} {
		_, err := c.pipeline.Prepare(c.in, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one that says %q", err, c.want)
		}
	}
	short := signalForm([]string{"Fp1", "Cz"}, 64)
	if _, err := (Pipeline{&BaselineRemoval{}}).Prepare(signal, &short); err == nil || !strings.Contains(err.Error(), "equally long") {
		t.Errorf("baseline of another length: error %v", err)
	}
}

// TestToGridKeepsEveryValue: each value lies at the place of its electrode, and nothing
// else is on the grid.
func TestToGridKeepsEveryValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		electrodes := rapid.Permutation(montage.GridNames()).Draw(t, "order")[:rapid.IntRange(1, 60).Draw(t, "n")]
		bands := rapid.IntRange(1, 5).Draw(t, "bands")
		x := NewArray(len(electrodes), bands)
		total := 0.0
		for i := range x.Data {
			x.Data[i] = float64(i + 1)
			total += x.Data[i]
		}
		p, err := Pipeline{&ToGrid{}}.Prepare(Form{Shape: x.Shape, Electrodes: electrodes}, nil)
		if err != nil {
			t.Fatal(err)
		}
		y := p.Apply(x, nil)
		for e, name := range electrodes {
			r, c, _ := montage.OnGrid(name)
			for b := range bands {
				if got := y.Data[(b*9+r)*9+c]; got != x.Data[e*bands+b] {
					t.Fatalf("%s band %d: %g", name, b, got)
				}
			}
		}
		for _, v := range y.Data {
			total -= v
		}
		if total != 0 {
			t.Fatalf("the grid holds %g more than was put on it", -total)
		}
	})
}

// TestScalingAddsItsLogarithm: a signal k times as large has log2(k) more bits
// of differential entropy in every band.
func TestScalingAddsItsLogarithm(t *testing.T) {
	p, err := Pipeline{NewBandDifferentialEntropy(DefaultBands())}.Prepare(signalForm([]string{"Cz"}, 128), nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		x := &Array{Data: rapid.SliceOfNDistinct(rapid.Float64Range(-100, 100), 128, 128, rapid.ID[float64]).Draw(t, "x"), Shape: []int{1, 128}}
		k := rapid.Float64Range(0.1, 50).Draw(t, "k")
		y := NewArray(1, 128)
		for i := range x.Data {
			y.Data[i] = k * x.Data[i]
		}
		a, b := p.Apply(x, nil), p.Apply(y, nil)
		for i := range a.Data {
			if math.Abs(b.Data[i]-a.Data[i]-math.Log2(k)) > 1e-9 {
				t.Fatalf("band %d: %g and %g, want a difference of %g", i, a.Data[i], b.Data[i], math.Log2(k))
			}
		}
	})
}

func TestApplyLeavesItsInputAlone(t *testing.T) {
	axis := 1
	for _, tr := range []Transform{NewBandDifferentialEntropy(DefaultBands()), &MeanStdNormalize{Axis: &axis}, &MeanStdNormalize{}, &ToGrid{}, &PickElectrode{Electrodes: []string{"Cz"}}} {
		x := NewArray(2, 128)
		for i := range x.Data {
			x.Data[i] = float64(i%17) - 3
		}
		before := append([]float64(nil), x.Data...)
		p, err := Pipeline{tr}.Prepare(signalForm([]string{"Fp1", "Cz"}, 128), nil)
		if err != nil {
			t.Fatal(err)
		}
		p.Apply(x, nil)
		if d := cmp.Diff(before, x.Data); d != "" {
			t.Errorf("%s changed its input", tr.Name())
		}
	}
}

func TestNewMakesAllByTheirNames(t *testing.T) {
	for _, make := range registry() {
		name := make().Name()
		if made, err := New(name); err != nil || made.Name() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestInterpolatedGridRepeatsPlanes: whatever the electrodes, they keep their
// values, a plane through them is filled in exactly, and nothing is outside.
func TestInterpolatedGridRepeatsPlanes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		electrodes := rapid.Permutation(montage.GridNames()).Draw(t, "order")[:rapid.IntRange(4, 40).Draw(t, "n")]
		x := NewArray(len(electrodes), 1)
		slope := [2]float64{rapid.Float64Range(-3, 3).Draw(t, "down"), rapid.Float64Range(-3, 3).Draw(t, "across")}
		plane := func(r, c int) float64 { return 7 + slope[0]*float64(r) + slope[1]*float64(c) }
		for e, name := range electrodes {
			r, c, _ := montage.OnGrid(name)
			x.Data[e] = plane(r, c)
		}
		p, err := Pipeline{&ToInterpolatedGrid{}}.Prepare(Form{Shape: x.Shape, Electrodes: electrodes}, nil)
		if err != nil {
			t.Skip() // all on one line
		}
		y := p.Apply(x, nil).Data
		for i, v := range y {
			if want := plane(i/9, i%9); math.Abs(v-want) > 1e-6 && v != 0 {
				t.Fatalf("place %d,%d is %g, want %g or nothing", i/9, i%9, v, want)
			}
		}
		for e, name := range electrodes {
			r, c, _ := montage.OnGrid(name)
			if math.Abs(y[9*r+c]-x.Data[e]) > 1e-9 {
				t.Fatalf("%s has %g, had %g", name, y[9*r+c], x.Data[e])
			}
		}
	})
}

// TestElectrodesAreMeantByNameOrPlace: T3 is T7 where there is no T3, and never where both
// are there.
func TestElectrodesAreMeantByNameOrPlace(t *testing.T) {
	for _, c := range []struct{ have, ask, want string }{
		{"T7 Cz", "T3 cz", "T7 Cz"},
		{"T3 T7 Cz", "T7 T3", "T7 T3"},
		{"C3-0 C3-1", "C3-1", "C3-1"},
		{"FP1-F7 F7-T7", "F7-T7 fp1-f7", "F7-T7 FP1-F7"},
		{"A1 B1 C3", "C3 b1", "C3 B1"},
	} {
		have := strings.Fields(c.have)
		s, err := (&PickElectrode{Electrodes: strings.Fields(c.ask)}).Prepare(Form{Shape: []int{len(have), 1}, Electrodes: have, Time: true}, nil)
		if err != nil || strings.Join(s.Out.Electrodes, " ") != c.want {
			t.Errorf("%s of %s: %v, %v", c.ask, c.have, s.Out.Electrodes, err)
			continue
		}
		x := NewArray(len(have), 1)
		for i := range have {
			x.Data[i] = float64(i)
		}
		for i, v := range s.Apply(x, nil).Data {
			if have[int(v)] != s.Out.Electrodes[i] {
				t.Errorf("%s of %s: %s has the row of %s", c.ask, c.have, s.Out.Electrodes[i], have[int(v)])
			}
		}
	}
}

// TestGridOfAMontage: an electrode without a place of its own is left out and named, and
// the rows of the others stay theirs.
func TestGridOfAMontage(t *testing.T) {
	have := []string{"low", "X", "Cz", "Pz", "Oz", "Fz"}
	at := func(e string) montage.Point { p, _ := montage.Position(e); return p }
	in := Form{Shape: []int{len(have), 1}, Electrodes: have, Positions: &montage.Positions{Names: []string{"low", "X"}, Points: []montage.Point{{Z: -1}, at("C4")}}}
	x := NewArray(len(have), 1)
	for i := range have {
		x.Data[i] = float64(10 + i)
	}
	for _, transform := range []Transform{&ToGrid{}, &ToInterpolatedGrid{}} {
		p, err := Pipeline{transform}.Prepare(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(have[1:], p.Electrodes); d != "" || len(p.Notes) != 1 || !strings.Contains(p.Notes[0].What, "low") {
			t.Errorf("%s: notes %q, electrodes %s", transform.Name(), p.Notes, d)
		}
		y := p.Apply(x, nil)
		for e, want := range map[string]float64{"C4": 11, "Cz": 12, "Fz": 15} {
			r, c, _ := montage.OnGrid(e)
			if got := y.Data[r*montage.GridSize+c]; math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: %g at %s, want %g", transform.Name(), got, e, want)
			}
		}
	}
}
