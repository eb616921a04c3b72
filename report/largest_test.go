package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/result"
)

// A loss of 13 points that folds spread too widely to call significant is not "without
// loss", and one below a point is.
func TestLargestSavingIsShownNotAssumed(t *testing.T) {
	study := func(losses []int) *result.Study {
		s := &result.Study{}
		for fold := 1; fold <= 5; fold++ {
			for _, stage := range []string{result.Unpruned, result.Scratch} {
				r := result.Result{Cell: result.Cell{Variant: result.Variant{Model: "m", Stage: stage}, Fold: fold}, Clips: result.FoldClips{Fit: 320, Validation: 80, Test: 100}, Size: result.Size{Parameters: 10, MACs: 10}, Test: scored(90, fold), Validation: scored(90, fold)}
				if stage == result.Scratch {
					r.Method, r.Ratio, r.Size = "lfp", 0.9, result.Size{Parameters: 1, MACs: 1}
					r.Test, r.Validation = scored(90-losses[fold-1], fold), scored(90-fold%2, fold)
				}
				s.Results = append(s.Results, r)
			}
		}
		return s
	}
	for _, c := range []struct {
		losses  []int
		without bool
	}{{[]int{1, 35, -4, 30, 3}, false}, {[]int{1, 0, 1, 0, 1}, true}} {
		got, err := NewComparison(study(c.losses), Usual())
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Largest) != 1 || got.Largest[0].Ratio != 0.9 || got.Largest[0].Without != c.without || !near(got.Largest[0].MACs, 0.9, 1e-12) {
			t.Errorf("losses of %v points: %+v", c.losses, got.Largest)
		}
		for _, r := range got.Rows {
			if r.Stage == result.Scratch && *r.P <= 0.05 {
				t.Errorf("losses of %v points are significant: p %g", c.losses, *r.P)
			}
		}
	}
	// Weights that masks save are still there.
	masked := study([]int{1, 0, 1, 0, 1})
	for i, r := range masked.Results {
		if r.Stage == result.Scratch {
			masked.Results[i].Size = result.Size{Parameters: 10, MACs: 10, NonzeroParameters: 1, NonzeroMACs: 1}
		}
	}
	if c, err := NewComparison(masked, Usual()); err != nil || !c.Largest[0].Masked {
		t.Errorf("%+v, %v", c.Largest, err)
	}
	if text := compared(t, masked, Usual(), FormatMarkdown); !strings.Contains(text, "weights that are zero") {
		t.Errorf("the table does not say that weights are masked:\n%s", text)
	}
	// Networks that learn nothing lose nothing, which says nothing.
	ignorant := study([]int{0, 0, 0, 0, 0})
	for i, r := range ignorant.Results {
		right := 50 + r.Fold%2
		if r.Stage == result.Scratch {
			right -= r.Fold / 4
		}
		ignorant.Results[i].Test = scored(right, r.Fold)
		ignorant.Results[i].Validation = ignorant.Results[i].Test
	}
	if c, err := NewComparison(ignorant, Usual()); err != nil || c.Largest[0].Without || c.Largest[0].PHolm > 0.05 {
		t.Errorf("%+v, %v", c.Largest, err)
	}
	if text := compared(t, ignorant, Usual(), FormatText); !strings.Contains(text, nothingToLose) || !strings.Contains(text, nothingMeans) {
		t.Errorf("the text does not say that there is nothing to lose:\n%s", text)
	}
	// A saving that fails on the validation clips is not tested.
	s := study([]int{0, 0, 0, 0, 0})
	for i := range s.Results {
		if s.Results[i].Stage == result.Scratch {
			s.Results[i].Validation = scored(80, s.Results[i].Fold)
		}
	}
	if c, err := NewComparison(s, Usual()); err != nil || c.Largest[0].Without || c.Largest[0].Test.P != nil {
		t.Errorf("%+v, %v", c.Largest, err)
	}
}

// Five folds that happen to lose the same, or nothing, are no certainty: a t test has no
// spread to set the mean against.
func TestFoldsThatDifferAlikeShowNothing(t *testing.T) {
	study := func(validation, test func(fold int) int) *result.Study {
		s := &result.Study{}
		for fold := 1; fold <= 5; fold++ {
			for _, stage := range []string{result.Unpruned, result.Scratch} {
				r := result.Result{Cell: result.Cell{Variant: result.Variant{Model: "m", Stage: stage}, Fold: fold}, Clips: result.FoldClips{Fit: 320, Validation: 80, Test: 100}, Size: result.Size{Parameters: 10, MACs: 10}, Test: scored(90, fold), Validation: scored(90, fold)}
				if stage == result.Scratch {
					r.Method, r.Ratio, r.Size = "lfp", 0.9, result.Size{Parameters: 1, MACs: 1}
					r.Test, r.Validation = scored(90-test(fold), fold), scored(90-validation(fold), fold)
				}
				s.Results = append(s.Results, r)
			}
		}
		return s
	}
	one, parity := func(int) int { return 1 }, func(fold int) int { return fold % 2 }
	none := func(int) int { return 0 }
	for name, c := range map[string]struct {
		validation, test func(int) int
		p                bool   // there is one in the table
		reason           string // why nothing is shown
	}{
		"in what chooses": {one, parity, true, "on the validation clips " + ErrAlike.Error()},
		"in the test":     {parity, one, false, "on the test clips " + ErrAlike.Error()},
		"no loss at all":  {parity, none, true, "on the test clips " + ErrAlike.Error()},
		"in neither":      {parity, parity, true, ""},
	} {
		got, err := NewComparison(study(c.validation, c.test), Usual())
		if err != nil {
			t.Fatal(err)
		}
		l, r := got.Largest[0], got.Rows[1]
		// The unpruned network is right in 90 of 100 clips of each fold and the trivial one in
		// 50: that too is alike in all folds, and still no case of nothing to lose.
		if l.Reason != c.reason || l.Without != (c.reason == "") || (r.P != nil) != c.p || (r.Untested != "") == c.p {
			t.Errorf("%s: %+v, row %+v", name, l, r)
		}
		for _, format := range []string{FormatText, FormatMarkdown, FormatLaTeX} {
			text := compared(t, study(c.validation, c.test), Usual(), format)
			if strings.Contains(text, ErrAlike.Error()) != (c.reason != "") || strings.Contains(text, nothingToLose) {
				t.Errorf("%s in %s:\n%s", name, format, text)
			}
		}
	}
	// 2 to the minus 5, the smallest p of an exact test of signs.
	if p := Usual().AboveTrivial(result.MetricAccuracy, study(parity, parity).Results[:1]); p != nil {
		t.Errorf("one fold has p = %g", *p)
	}
	var whole []result.Result
	for _, r := range study(parity, parity).Results {
		if r.Stage == result.Unpruned {
			r.Test = scored(90, 1)
			whole = append(whole, r)
		}
	}
	if p := Usual().AboveTrivial(result.MetricAccuracy, whole); p == nil || *p != 1.0/32 {
		t.Errorf("better by the same in five folds: p %v", p)
	}
}

// Folds of a nested split choose by their own inner folds: the first the larger ratio, which
// loses 1 point there, the second, where that loses 9, the smaller.
func TestNestedFoldsChooseTheirOwnRatio(t *testing.T) {
	s := &result.Study{}
	for fold := 1; fold <= 4; fold++ {
		for inner := 1; inner <= 2; inner++ {
			for _, c := range []struct {
				ratio            float64
				validation, test int
			}{{0, 90, 90}, {0.3, 89, 89}, {0.8, 89 - 8*(fold%2), 88}} {
				r := result.Result{Cell: result.Cell{Variant: result.Variant{Model: "m", Stage: result.Unpruned}, Fold: fold, Inner: inner}, Clips: result.FoldClips{Fit: 60, Validation: 20, Test: 20}, Size: result.Size{Parameters: 10, MACs: 10},
					Validation: scored(c.validation, fold), Test: scored(c.test+2*inner-3, fold)}
				if c.ratio > 0 {
					r.Stage, r.Method, r.Ratio, r.Size = result.Scratch, "lfp", c.ratio, result.Size{Parameters: 10 - int64(10*c.ratio), MACs: 10 - int64(10*c.ratio)}
				}
				s.Results = append(s.Results, r)
			}
		}
	}
	c, err := NewComparison(s, Usual())
	if err != nil {
		t.Fatal(err)
	}
	// Losses of 1, 2, 1 and 2 points.
	l := c.Largest[0]
	if !slices.Equal(l.Ratios, []float64{0.3, 0.8, 0.3, 0.8}) || l.Test.Folds != 4 || !near(*l.Test.Loss, 0.015, 1e-12) || !near(l.MACs, 0.55, 1e-12) {
		t.Errorf("%+v", l)
	}
	if len(l.Chosen) != 4 || l.Chosen[1] != (result.Variant{Model: "m", Stage: result.Scratch, Method: "lfp", Ratio: 0.8}) || l.Masked {
		t.Errorf("chosen: %+v", l)
	}
	for _, format := range Formats() {
		want := "lfp 0.3 scratch (2), lfp 0.8 scratch (2)"
		if format == FormatJSON {
			want = `"chosen"`
		}
		if text := compared(t, s, Usual(), format); !strings.Contains(text, want) {
			t.Errorf("%s lacks what the folds chose:\n%s", format, text)
		}
	}
	if text := compared(t, s, Usual(), FormatText); !strings.Contains(strings.Join(strings.Fields(text), " "), "mean loss on its inner folds is at most the margin") {
		t.Errorf("the text does not say how folds choose:\n%s", text)
	}
}
