package report

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What testdata/paired.py computed with scipy.
type pairedCases struct {
	Cases []struct {
		Unpruned   []float64
		Other      []float64
		TestShare  float64 `json:"test_share"`
		Margin     float64
		Wilcoxon   pairedValues
		CorrectedT pairedValues `json:"corrected_t"`
	}
}

type pairedValues struct {
	Worse, Differs float64
	NotInferior    float64 `json:"not_inferior"`
}

func TestPairedTestsAreScipys(t *testing.T) {
	b, err := os.ReadFile("testdata/paired.json")
	if err != nil {
		t.Fatal(err)
	}
	var all pairedCases
	if err := json.Unmarshal(b, &all); err != nil || len(all.Cases) == 0 {
		t.Fatalf("%d cases, %v", len(all.Cases), err)
	}
	for i, c := range all.Cases {
		for name, want := range map[string]pairedValues{Wilcoxon: c.Wilcoxon, CorrectedT: c.CorrectedT} {
			test := PairedTest{name, c.TestShare}
			worse, err1 := test.Worse(c.Unpruned, c.Other)
			differs, err2 := test.Differs(c.Unpruned, c.Other)
			notInferior, err3 := test.NotInferior(c.Unpruned, c.Other, c.Margin)
			got := pairedValues{worse, differs, notInferior}
			if err1 != nil || err2 != nil || err3 != nil || math.Abs(got.Worse-want.Worse) > 1e-9 ||
				math.Abs(got.Differs-want.Differs) > 1e-9 || math.Abs(got.NotInferior-want.NotInferior) > 1e-9 {
				t.Errorf("case %d, %s: %+v, scipy has %+v (%v %v %v)", i, name, got, want, err1, err2, err3)
			}
		}
	}
}

// Over n folds with a loss in each, 1 of the 2^n signs is as extreme.
func TestLossInAllFolds(t *testing.T) {
	for n := 1; n <= 30; n++ {
		unpruned, other := make([]float64, n), make([]float64, n)
		for i := range n {
			unpruned[i], other[i] = 0.9, 0.9-float64(i%4+1)/100
		}
		if p, err := (PairedTest{Name: Wilcoxon}).Worse(unpruned, other); err != nil || math.Abs(p-math.Ldexp(1, -n)) > 1e-15 {
			t.Errorf("%d folds: p %g, %v", n, p, err)
		}
	}
}

func TestNetworksThatAreAlike(t *testing.T) {
	v := []float64{0.9, 0.8, 0.7}
	for _, name := range Tests() {
		test := PairedTest{name, 0.5}
		worse, err := test.Worse(v, v)
		if err != nil || worse != 1 {
			t.Errorf("%s: worse with p = %g, %v", name, worse, err)
		}
		if p, err := test.Differs(v, v); err != nil || p != 1 {
			t.Errorf("%s: differs with p = %g, %v", name, p, err)
		}
	}
	// 0.9-0.8 and 0.8-0.7 differ in the last digit of a float only.
	if p, err := (PairedTest{CorrectedT, 1}).Worse([]float64{0.9, 0.8}, []float64{0.8, 0.7}); err != nil || p != 0 {
		t.Errorf("equal losses: p = %g, %v", p, err)
	}
}

func TestFoldsTooFew(t *testing.T) {
	err := PairedTest{Name: Wilcoxon}.Enough(3, 0.05)
	const want = "Wilcoxon over 3 folds can't go below p = 0.125: use at least 5 folds for level 0.05, or the corrected t test"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
	}
	for _, c := range []struct {
		test  PairedTest
		folds int
		level float64
		want  string
	}{
		{PairedTest{Name: Wilcoxon}, 5, 0.05, ""},
		{PairedTest{Name: Wilcoxon}, 3, 0.125, ""},
		{PairedTest{Name: CorrectedT, TestShare: 1}, 2, 0.05, ""},
		{PairedTest{Name: CorrectedT, TestShare: 1}, 1, 0.05, "at least 2 folds"},
		{PairedTest{Name: CorrectedT}, 5, 0.05, "must be positive"},
		{PairedTest{Name: "sign"}, 5, 0.05, "wilcoxon, corrected-t"},
		{PairedTest{Name: Wilcoxon}, 5, 0, "between 0 and 1"},
		{PairedTest{Name: Wilcoxon}, 5, math.NaN(), "between 0 and 1"},
	} {
		if err := c.test.Enough(c.folds, c.level); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v over %d folds at %g: %v, want %q", c.test, c.folds, c.level, err, c.want)
		}
	}
}

func TestWhatCantBePaired(t *testing.T) {
	for _, name := range Tests() {
		test := PairedTest{name, 0.5}
		for _, c := range []struct {
			a, b []float64
			want string
		}{
			{[]float64{1, 2}, []float64{1}, "same folds"},
			{nil, nil, "no folds"},
			{[]float64{1, math.NaN()}, []float64{1, 1}, "NaN"},
			{[]float64{1, math.Inf(1)}, []float64{1, 1}, "no accuracies"},
		} {
			_, err1 := test.Worse(c.a, c.b)
			_, err2 := test.Differs(c.a, c.b)
			_, err3 := test.NotInferior(c.a, c.b, 0.1)
			_, err4 := test.Detectable(c.a, c.b, 0.5)
			_, _, err5 := test.Loses(c.a, c.b, 0, 0.5)
			for _, err := range []error{err1, err2, err3, err4, err5} {
				if err == nil || len(c.a) > 0 && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s of %v and %v: %v, want %q", name, c.a, c.b, err, c.want)
				}
			}
		}
	}
}

// For the t test the smallest loss that shows is the quantile of t times the standard
// error; of any test a loss a little above it must show, one a little below must not.
func TestDetectableLoss(t *testing.T) {
	unpruned := []float64{0.91, 0.88, 0.93, 0.90, 0.87, 0.92}
	other := []float64{0.90, 0.89, 0.90, 0.88, 0.88, 0.90}
	// By hand: losses .01 -.01 .03 .02 -.01 .02, mean .01, squares about it sum to .0014,
	// sd sqrt(.0014/5), variance factor 1/6+1/5; scipy.stats.t.ppf(.95, 5) = 2.015048372669157.
	want := 2.015048372669157 * math.Sqrt(0.0014/5*(1./6+1./5))
	got, err := PairedTest{CorrectedT, 1. / 5}.Detectable(unpruned, other, 0.05)
	if err != nil || math.Abs(got-want) > 1e-7 {
		t.Errorf("detectable loss %g, want %g (%v)", got, want, err)
	}
	rapid.Check(t, func(t *rapid.T) {
		test := PairedTest{rapid.SampledFrom(Tests()).Draw(t, "test"), 0.2}
		n := rapid.IntRange(5, 12).Draw(t, "folds")
		a := rapid.SliceOfN(rapid.Float64Range(0, 1), n, n).Draw(t, "unpruned")
		b := rapid.SliceOfN(rapid.Float64Range(0, 1), n, n).Draw(t, "other")
		loss, err := test.Detectable(a, b, 0.05)
		if err != nil {
			t.Fatal(err)
		}
		mean := 0.0
		for i := range a {
			mean += (a[i] - b[i]) / float64(n)
		}
		for _, c := range []struct {
			shift float64
			shows bool
		}{{loss + 1e-6, true}, {loss - 1e-6, false}} {
			shifted := slices.Clone(b)
			for i := range shifted {
				shifted[i] += mean - c.shift
			}
			if p, err := test.Worse(a, shifted); err != nil || (p <= 0.05) != c.shows && loss > 1e-5 {
				t.Fatalf("%s: a mean loss of %g has p = %g, the smallest that shows is %g (%v)", test.Name, c.shift, p, loss, err)
			}
		}
	})
}

func TestLosesWithAMargin(t *testing.T) {
	unpruned := []float64{0.90, 0.91, 0.92, 0.93, 0.94}
	other := []float64{0.89, 0.90, 0.91, 0.92, 0.93}
	for _, c := range []struct {
		margin float64
		loses  bool
	}{{0, true}, {0.02, false}, {0.005, true}} {
		loses, _, err := PairedTest{Name: Wilcoxon}.Loses(unpruned, other, c.margin, 0.05)
		if err != nil || loses != c.loses {
			t.Errorf("a loss of 1 point in all folds, margin %g: loses %v, %v", c.margin, loses, err)
		}
	}
}

func TestShareOfTestClips(t *testing.T) {
	s := &Study{Results: []Result{{Cell: Cell{Fold: 1}}, {Cell: Cell{Fold: 5}}}}
	for config, want := range map[string]float64{
		``: 1. / 4, `{"split": {"name": "KFold", "folds": 10}}`: 1. / 9, `{"split": {"name": "LeaveOneSubjectOut", "folds": 10}}`: 1. / 4, `[]`: 1. / 4,
	} {
		s.Config = []byte(config)
		if got := TestShare(s); got != want {
			t.Errorf("%s: %g, want %g", config, got, want)
		}
	}
	if got := TestShare(&Study{}); got != 1 {
		t.Errorf("no folds: %g", got)
	}
}
