package report

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
)

// pairedCases are the results of testdata/paired.py with scipy.
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
	test := PairedTest{CorrectedT, 1}
	a, b := []float64{0.9, 0.8}, []float64{0.8, 0.7}
	p, err1 := test.Worse(a, b)
	q, err2 := test.Differs(a, b)
	n, err3 := test.NotInferior(a, a, 0.02)
	low, high, err4 := test.Interval(a, b, 0.95)
	bound, err5 := test.Bound(a, b, 0.95)
	loss, err6 := test.Detectable(a, b, 0.05)
	for _, err := range []error{err1, err2, err3, err4, err5, err6} {
		if !errors.Is(err, ErrAlike) {
			t.Errorf("equal losses: %v, want %v", err, ErrAlike)
		}
	}
	for _, v := range []float64{p, q, n, low, high, bound, loss} {
		if !math.IsNaN(v) {
			t.Errorf("equal losses give %g", v)
		}
	}
	if p, err := (PairedTest{Name: Wilcoxon}).Worse(a, b); err != nil || p != 0.25 {
		t.Errorf("Wilcoxon of two equal losses: p = %g, %v", p, err)
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
		{PairedTest{Name: "sign"}, 5, 0.05, "corrected-t, wilcoxon"},
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
			_, _, err5 := test.Interval(c.a, c.b, 0.95)
			for _, err := range []error{err1, err2, err3, err4, err5} {
				if err == nil || len(c.a) > 0 && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s of %v and %v: %v, want %q", name, c.a, c.b, err, c.want)
				}
			}
		}
	}
}
