package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/result"
)

func TestSensitivityIsLossByLayerAndRatio(t *testing.T) {
	v := madeUpSensitivity()
	for _, format := range Formats() {
		text := written(t, func(b *bytes.Buffer) error { return v.Write(b, format) })
		for _, want := range []string{"conv7", "LEAKS", "validation", map[bool]string{true: "40.0 ", false: ""}[format != FormatCSV && format != FormatJSON]} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", format, want)
			}
		}
	}
	// conv1 loses 0.4 ratio on the first fold and half as much on the second: 27 points in
	// mean at 0.9, with a deviation of 18/sqrt(2) points.
	if text := written(t, func(b *bytes.Buffer) error { return v.Write(b, FormatText) }); !strings.Contains(text, "27.0 ± 12.7") {
		t.Errorf("the text lacks the loss of conv1 at 0.9:\n%s", text)
	}
	lines, err := csv.NewReader(strings.NewReader(written(t, func(b *bytes.Buffer) error { return v.Write(b, FormatCSV) }))).ReadAll()
	if err != nil || len(lines) != 1+9*9*2 {
		t.Errorf("%d lines of CSV, %v", len(lines), err)
	}
}

// By hand: of 30 clips of one class and 10 of another the trivial baseline has 30/40 right, a
// balanced accuracy of (1+0)/2 and a macro-F1 of (60/70+0)/2.
func TestSensitivityIsOfTheStudysMetric(t *testing.T) {
	s := result.Score{Confusion: [][]int{{20, 10}, {2, 8}}}
	for metric, want := range map[string]float64{result.MetricAccuracy: 0.75, result.MetricBalanced: 0.5, result.MetricF1: 3. / 7} {
		if got := s.Trivial(metric); !near(got, want, 1e-12) {
			t.Errorf("trivial %s is %g, want %g", metric, got, want)
		}
	}
	v := madeUpSensitivity()
	v.Metric = result.MetricBalanced
	for _, format := range Formats() {
		text := written(t, func(b *bytes.Buffer) error { return v.Write(b, format) })
		want := "of balanced accuracy on the"
		if format == FormatCSV || format == FormatJSON {
			want = result.MetricBalanced
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say by which metric", format)
		}
	}
	if f, err := v.Figure(); err != nil || !strings.Contains(f.Caption, "loss of balanced accuracy") {
		t.Errorf("the figure's caption is %+v, %v", f, err)
	}
}

// The field that earlier versions called accuracy is read as scores.
func TestSensitivityOfEarlierVersionsIsRead(t *testing.T) {
	dir := t.TempDir()
	old := `{"schema": 2, "model": "m", "method": "lfp", "on": "test", "folds": [1, 2], "baseline": [0.9, 0.8],
		"points": [{"layer": "conv1", "channels": 4, "left": 2, "ratio": 0.5, "accuracy": [0.7, 0.6]}]}`
	if err := os.WriteFile(filepath.Join(dir, SensitivityFile), []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	v, err := ReadSensitivity(dir)
	if err != nil || !slices.Equal(v.Points[0].Scores, []float64{0.7, 0.6}) || v.Points[0].Left != 2 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestSensitivitySaysWhichFoldsLackAClass(t *testing.T) {
	some := result.Score{Confusion: [][]int{{20, 10}, {0, 0}}}
	for metric, lacks := range map[string]bool{result.MetricAccuracy: false, result.MetricBalanced: true, result.MetricF1: true} {
		if some.LacksClass(metric) != lacks {
			t.Errorf("%s: %v", metric, !lacks)
		}
	}
	v := madeUpSensitivity()
	v.Metric, v.Lacking = result.MetricBalanced, []int{2}
	for _, format := range []string{FormatText, FormatMarkdown, FormatLaTeX, FormatJSON} {
		text := written(t, func(b *bytes.Buffer) error { return v.Write(b, format) })
		if !strings.Contains(text, "On 1 of 2 folds the clips lack a class") && !strings.Contains(text, `"folds_lacking_a_class"`) {
			t.Errorf("%s does not say that a fold lacks a class", format)
		}
	}
}

func TestSavingsCountNonzerosOfMaskedNetworks(t *testing.T) {
	v := madeUpSavings()
	for i, want := range [][2]float64{{0.6, 0.6}, {0.7, 0.72}} {
		if p, m := v.Rows[i].Saved(); math.Abs(p-want[0]) > 1e-12 || math.Abs(m-want[1]) > 1e-12 {
			t.Errorf("row %d saves %g and %g, want %v", i, p, m, want)
		}
	}
	text := written(t, func(b *bytes.Buffer) error { return v.Write(b, FormatText) })
	for _, want := range []string{"400 000 (-60.0 %)", "nonzero parameters", "300 000 (-70.0 %)", "3.8 MiB → 1.5 MiB", "2.00 → 1.00", "700 → 1600", "level 0.05",
		"6 folds", "below the reference's by less than 2 points", "not shown", "<0.001", "trivial baseline", "fbccnn uwmp scratch: the search ended at its finest step", "LEAKS"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	lines, err := csv.NewReader(strings.NewReader(written(t, func(b *bytes.Buffer) error { return v.Write(b, FormatCSV) }))).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%d lines of CSV, %v", len(lines), err)
	}
	if got := lines[2][slices.Index(lines[0], "macs_saved")]; got != strconv.FormatFloat(1-14000000./50000000, 'g', -1, 64) {
		t.Errorf("macs_saved %s", got)
	}
}

// Holm by hand: of p = .02 and .2 the smaller doubles, to .04. The second network, whose
// loss is not shown to be below two points, is not without loss.
func TestSavingsAreWithoutLossOnlyWhereThatIsShown(t *testing.T) {
	v := madeUpSavings()
	if !near(*v.Rows[0].PHolm, 0.04, 1e-15) || !near(*v.Rows[1].PHolm, 0.2, 1e-15) || !v.Rows[0].Without || v.Rows[1].Without {
		t.Errorf("%+v", v.Rows)
	}
	for _, format := range Formats() {
		text := written(t, func(b *bytes.Buffer) error { return v.Write(b, format) })
		want := []string{"0.031", "true", "false"} // bound and verdicts
		if format != FormatCSV && format != FormatJSON {
			want = []string{"3.1", "yes", "not shown", "0.040"}
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q", format, w)
			}
		}
	}
}

func TestSavingsOfNothingSayOverHowManyFolds(t *testing.T) {
	v := madeUpSavings()
	for i := range v.Rows {
		v.Rows[i].Ratio, v.Rows[i].Scores, v.Rows[i].ReferenceScores, v.Rows[i].Verdict, v.Rows[i].PHolm = 0, nil, nil, Verdict{}, nil
	}
	if text := written(t, func(b *bytes.Buffer) error { return v.Write(b, FormatText) }); !strings.Contains(text, "over 6 folds") || !strings.Contains(text, "none found") {
		t.Errorf("the text does not say over how many folds nothing was found:\n%s", text)
	}
}

func TestAnalysesReadBack(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadSensitivity(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a sensitivity that isn't there: %v", err)
	}
	if _, err := ReadSavings(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("savings that aren't there: %v", err)
	}
	if err := WriteSensitivity(dir, madeUpSensitivity()); err != nil {
		t.Fatal(err)
	}
	if err := WriteSavings(dir, madeUpSavings()); err != nil {
		t.Fatal(err)
	}
	sensitivity, err := ReadSensitivity(dir)
	if d := cmp.Diff(madeUpSensitivity(), sensitivity); d != "" || err != nil {
		t.Errorf("%v (-written +read):\n%s", err, d)
	}
	savings, err := ReadSavings(dir)
	if d := cmp.Diff(madeUpSavings(), savings); d != "" || err != nil {
		t.Errorf("%v (-written +read):\n%s", err, d)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 6 {
		t.Errorf("%d files, want text, CSV and JSON of both", len(files))
	}
}

func TestAnalysesThatDontFit(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		read func(dir string) error
	}{
		SensitivityFile: {`{"schema": %d, "folds": [1, 2], "baseline": [0.5]}`, func(dir string) error { _, err := ReadSensitivity(dir); return err }},
		SavingsFile:     {`{"schema": %d, "rows": [{"reference_scores": [0.5], "scores": []}]}`, func(dir string) error { _, err := ReadSavings(dir); return err }},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), fmt.Appendf(nil, c.text, result.Schema), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := c.read(dir); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "folds") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, format := range Formats() {
		var b bytes.Buffer
		if err := (&Sensitivity{}).Write(&b, format); err != nil {
			t.Errorf("an empty sensitivity in %s: %v", format, err)
		}
		if err := (&Savings{}).Write(&b, format); err != nil {
			t.Errorf("empty savings in %s: %v", format, err)
		}
	}
}
