package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
)

// madeUpStudy writes the results of a study over some folds, in which pruning loses about 10
// points and fine-tuning brings them back.
func madeUpStudy(t *testing.T, folds int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s := &result.Study{Schema: result.Schema, Leak: "LEAKS"}
	for fold := 1; fold <= folds; fold++ {
		for stage, accuracy := range map[string]float64{result.Unpruned: 0.9, result.Pruned: 0.8, result.FineTuned: 0.9} {
			v := result.Variant{Model: "fbccnn", Stage: stage}
			if stage != result.Unpruned {
				v.Method, v.Ratio = "lfp", 0.4
			}
			right := 1000*accuracy + float64(fold)
			if stage == result.Pruned { // not as much on every fold: nothing could be tested
				right += []float64{0, -1, 0, 1}[fold%4]
			}
			accuracy = right / 1000
			score := result.Score{Clips: 1000, Accuracy: accuracy, MacroF1: accuracy, Balanced: accuracy, Majority: 0.5, Confusion: [][]int{{int(right) - 450, 950 - int(right)}, {50, 450}}}
			s.Results = append(s.Results, result.Result{Schema: result.Schema, Cell: result.Cell{Variant: v, Fold: fold}, Clips: result.FoldClips{Fit: 3000, Validation: 1000, Test: 1000},
				Test: score, Validation: score, Size: result.Size{Parameters: 1000, MACs: 9000}})
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "study"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := report.Write(filepath.Join(dir, "study"), s); err != nil {
		t.Fatal(err)
	}
	// Neither needs libtorch.
	t.Setenv("EEGPRUNE_SHIM", filepath.Join(dir, "no-shim.so"))
	return dir
}

func TestCompareMarksAndExports(t *testing.T) {
	dir := madeUpStudy(t, 5)
	text := must(t, dir, "compare", "study").stdout
	// Losses of 10.1, 10.0, 9.9, 10.0 and 10.1 points: 10.02 ± t(4) 0.0837 sqrt(1/5 + 1/4).
	for _, want := range []string{"↓ 80.3 ± 0.2", "90.3 ± 0.2", "5 folds", "Nadeau & Bengio", "Holm", "level 0.05", "LEAKS", "trivial baseline", "10.0 [9.9, 10.2]",
		"The largest saving without loss"} {
		if !strings.Contains(text, want) {
			t.Errorf("compare lacks %q:\n%s", want, text)
		}
	}
	var c report.Comparison
	if err := json.Unmarshal([]byte(must(t, dir, "compare", "study", "--json").stdout), &c); err != nil || len(c.Rows) != 3 || c.Rows[1].TestShare != 1./4 {
		t.Errorf("--json: %+v, %v", c, err)
	}
	for _, format := range report.Formats() {
		r := must(t, dir, "compare", "study", "--format", format, "--out", format)
		b, err := os.ReadFile(filepath.Join(dir, format))
		if err != nil || !strings.Contains(string(b), "LEAKS") || r.stdout != "wrote "+format+"\n" {
			t.Errorf("--format %s --out: %q, %v", format, r.stdout, err)
		}
	}
}

func TestReportWritesAPageAndPlots(t *testing.T) {
	dir := madeUpStudy(t, 3)
	r := must(t, dir, "report", "study")
	if r.stdout != "wrote study/report.html and 9 plots in study/plots\n" {
		t.Errorf("report says %q", r.stdout)
	}
	for _, name := range []string{"report.html", "plots/pareto-fbccnn.svg", "plots/ratios-fbccnn.png", "plots/confusion-fbccnn.pdf"} {
		if info, err := os.Stat(filepath.Join(dir, "study", name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	var wrote struct {
		File  string
		Plots []string
	}
	if err := json.Unmarshal([]byte(must(t, dir, "report", "study", "--json", "--out", "page.html").stdout), &wrote); err != nil || wrote.File != "page.html" || len(wrote.Plots) != 9 {
		t.Errorf("--json: %+v, %v", wrote, err)
	}
}

func TestStudiesThatCantBeCompared(t *testing.T) {
	dir := madeUpStudy(t, 3)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"compare", "nowhere"}, 1, "nowhere has no result.json"},
		{[]string{"report", "."}, 1, ". has no result.json"},
		{[]string{"compare", "study", "--format", "xml"}, 2, "text, csv, json, markdown, latex"},
		{[]string{"compare", "study", "--test", "sign"}, 2, "corrected-t, wilcoxon"},
		{[]string{"report", "study", "--level", "5"}, 2, "between 0 and 1"},
		{[]string{"compare", "study", "--margin", "0"}, 2, "0.02 takes a loss of up to two points for none"},
		{[]string{"compare", "study", "--out", "no/such/file"}, 1, "no/such/file"},
		{[]string{"compare"}, 2, "accepts 1 arg"},
	} {
		r := eegprune(t, dir, c.args...)
		if oneSentence(t, r, c.want); r.code != c.code {
			t.Errorf("%v: exit code %d, want %d", c.args, r.code, c.code)
		}
	}
	if text := must(t, dir, "compare", "study", "--test", "wilcoxon").stdout; !strings.Contains(text, "use at least 5 folds for level 0.05, or the corrected t test") {
		t.Errorf("nothing says that the folds are too few:\n%s", text)
	}
}
