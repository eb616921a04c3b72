package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/result"
)

// testdata/schema2/result.json was written by the version before schema 3: run --folds 2
// --epochs 1 --batch 8 --model eegnet --method lfp,fpgm --ratio 0.4 on simulated recordings.
func TestOldResultsAreReadAndSayWhatTheyLack(t *testing.T) {
	d, err := ReadDocument("testdata/schema2")
	if err != nil {
		t.Fatal(err)
	}
	s := d.Study
	if s.Schema != result.OldSchema || len(s.Results) != 14 || len(s.Lacks) == 0 {
		t.Fatalf("schema %d, %d results, lacks %v", s.Schema, len(s.Results), s.Lacks)
	}
	c, err := NewComparison(s, Usual())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rows {
		if r.Stage != result.Unpruned && (r.Reference != result.Unpruned || r.TestShare != 1) {
			t.Errorf("%+v is judged against %q with a share of %g", r.Variant, r.Reference, r.TestShare)
		}
		if r.Stage == result.Scratch && len(r.Methods) != 2 {
			t.Errorf("from scratch the two methods have networks of their own: %v", r.Methods)
		}
	}
	// That they are one network shows in the results: every number of theirs is the same.
	losses := map[int]map[string]float64{}
	for _, r := range s.Results {
		if r.Stage == result.Scratch {
			if losses[r.Fold] == nil {
				losses[r.Fold] = map[string]float64{}
			}
			losses[r.Fold][r.Method] = r.Test.Loss
		}
	}
	for fold, loss := range losses {
		if len(loss) != 2 || loss["lfp"] != loss["fpgm"] {
			t.Errorf("fold %d: losses %v", fold, loss)
		}
	}
	page := written(t, func(b *bytes.Buffer) error { return Page(b, d) })
	text := compared(t, s, Usual(), FormatText)
	whole := written(t, func(b *bytes.Buffer) error { return Text(b, s) })
	for _, lack := range s.Lacks {
		for name, shown := range map[string]string{"page": page, "text of compare": text, "text": whole} {
			if !strings.Contains(shown, lack) {
				t.Errorf("the %s does not say that %s", name, lack)
			}
		}
	}
	for _, format := range Formats() {
		text := strings.Join(strings.Fields(compared(t, s, Usual(), format)), " ")
		for _, lack := range []string{"KFoldCrossTrial is KFoldByTrial", "scores of each subject were not kept"} {
			if !strings.Contains(text, lack) {
				t.Errorf("%s of compare does not say: %s", format, lack)
			}
		}
	}
	if position := strings.Index(page, s.Lacks[0]); position > strings.Index(page, "<h2>") {
		t.Error("the page says what is lacking, but not at its top")
	}
	if !strings.Contains(compared(t, s, Usual(), FormatJSON), s.Lacks[0]) {
		t.Error("the JSON does not say what is lacking")
	}
}

// Savings of schema 2 called a loss that was not significant none.
func TestOldSavingsAreLeftOutOfThePage(t *testing.T) {
	dir := t.TempDir()
	b, err := os.ReadFile("testdata/schema2/result.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{result.File: b, SavingsFile: []byte(`{"schema": 2, "test": "wilcoxon", "rows": [{"ratio": 0.9, "p": 0.3}]}`)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d, err := ReadDocument(dir)
	if err != nil || d.Savings != nil || !strings.Contains(strings.Join(d.Study.Lacks, "\n"), SavingsFile) {
		t.Errorf("%v, lacks %v", err, d.Study.Lacks)
	}
}
