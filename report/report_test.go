package report

import (
	"bytes"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/result"
)

func example() *result.Study {
	of := func(stage string, fold int, accuracy float64, parameters int64) result.Result {
		return result.Result{Schema: result.Schema, Cell: result.Cell{Variant: result.Variant{Model: "fbccnn", Stage: stage}, Fold: fold},
			Test: result.Score{Clips: 10, Accuracy: accuracy, Balanced: accuracy, Majority: 0.5},
			Size: result.Size{Parameters: parameters, MACs: 10 * parameters, FileBytes: 4 * parameters}}
	}
	return &result.Study{Schema: result.Schema, Settings: []result.Setting{{Name: "split", Value: "KFold; LEAKS"}}, Notes: []string{"made up"},
		Results: []result.Result{of(result.Unpruned, 1, 0.8, 2000000), of(result.Unpruned, 2, 0.9, 2000000), of(result.Scratch, 1, 0.7, 1000000)},
		Speeds:  []result.VariantSpeed{{Variant: result.Variant{Model: "fbccnn", Stage: result.Unpruned}, Speed: result.Speed{Latency1: 1.5}}}}
}

func TestRowsAreMeansOverFolds(t *testing.T) {
	rows := Rows(example())
	if len(rows) != 2 || rows[0].Stage != result.Unpruned || rows[1].Stage != result.Scratch {
		t.Fatalf("rows %+v, want unpruned and scratch", rows)
	}
	// The sample standard deviation of 0.8 and 0.9 is 0.1/sqrt(2).
	if r := rows[0].Accuracy; math.Abs(r.Mean-0.85) > 1e-12 || math.Abs(r.SD-0.1/math.Sqrt2) > 1e-12 {
		t.Errorf("accuracy %+v, want 0.85 and %g", r, 0.1/math.Sqrt2)
	}
	if got := rows[0].Accuracy.percent(); got != "85.0 ± 7.1" {
		t.Errorf("accuracy is written %q", got)
	}
	if got := rows[1].Accuracy.percent(); got != "70.0" {
		t.Errorf("the accuracy of one fold is written %q", got)
	}
}

func TestTextSaysAll(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, example()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"KFold; LEAKS", "note: made up", "85.0 ± 7.1", "2 000 000", "1 000 000 (-50.0 %)", "20 000 000", "7.6 MiB", "1.50", "trivial baseline", "fold 2"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, b.String())
		}
	}
}

func TestStudyWithoutResultsHasATextToo(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, &result.Study{}); err != nil || !strings.Contains(b.String(), "no results yet") {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestCSVHasALineForEachResult(t *testing.T) {
	var b bytes.Buffer
	if err := CSV(&b, example()); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(lines) != 4 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	if lines[1][5] != "0.8" || lines[0][5] != "accuracy" {
		t.Errorf("accuracy is %q under %q", lines[1][5], lines[0][5])
	}
}

func TestWrittenStudiesReadBack(t *testing.T) {
	dir := t.TempDir()
	want := example()
	want.Config = []byte(`{"a": 1}`)
	if err := Write(dir, want); err != nil {
		t.Fatal(err)
	}
	got, err := result.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	got.Config, want.Config = nil, nil // JSON, but for its white space
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-written +read):\n%s", d)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("%d files, want the three of a report", len(entries))
	}
}

func TestReadNamesWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{`{"schema": 1`: "damaged", `{"schema": 99}`: "schema 99"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, result.File), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := result.Read(dir); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), result.File) {
			t.Errorf("%s: error %v, want one that says %q", text, err, want)
		}
	}
	if err := Write(filepath.Join(t.TempDir(), "nowhere"), example()); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("writing to a directory that is not there: %v", err)
	}
}
