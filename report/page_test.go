package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/result"
)

func madeUpDocument() *Document {
	return &Document{Study: grid(), Judgement: judged(Wilcoxon), Sensitivity: madeUpSensitivity(), Savings: madeUpSavings()}
}

// words returns the text of an XML document, and fails where it isn't one.
func words(t *testing.T, name, document string) []string {
	t.Helper()
	var words []string
	d := xml.NewDecoder(strings.NewReader(document))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return words
		}
		if err != nil {
			t.Fatalf("%s is no XML: %v", name, err)
		}
		if text, ok := token.(xml.CharData); ok {
			words = append(words, strings.TrimSpace(string(text)))
		}
	}
}

func TestFiguresAreDrawn(t *testing.T) {
	figures, err := madeUpDocument().Figures()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range figures {
		if seen[f.Name] || f.Caption == "" {
			t.Errorf("figure %q, caption %q", f.Name, f.Caption)
		}
		seen[f.Name] = true
		svg := strings.Join(words(t, f.Name, written(t, func(b *bytes.Buffer) error { return f.Write(b, FormatSVG) })), "|")
		want := "%"
		switch {
		case strings.HasPrefix(f.Name, "ratios"):
			want = "fine-tuned"
		case strings.HasPrefix(f.Name, "pareto"):
			want = "uwmp"
		case strings.HasPrefix(f.Name, "sensitivity"):
			want = "lin<1>"
		}
		if !strings.Contains(svg, want) {
			t.Errorf("figure %s lacks %q: %s", f.Name, want, svg)
		}
	}
	for _, name := range []string{"pareto-fb_ccnn", "ratios-fb_ccnn", "confusion-fb_ccnn", "learning-fb_ccnn", "subjects-fb_ccnn", "pareto-tsception", "sensitivity-fbccnn-lfp", "savings"} {
		if !seen[name] {
			t.Errorf("no figure %s among %v", name, seen)
		}
	}
}

func TestFiguresAreTheSameEachTime(t *testing.T) {
	s := only(grid(), func(r result.Result) bool { return r.Model == "fb_ccnn" && (r.Method == "" || r.Method == "lfp") })
	var first []string
	for range 2 {
		dir := t.TempDir()
		figures, err := Figures(s, Usual())
		if err != nil {
			t.Fatal(err)
		}
		paths, err := WriteFigures(dir, figures)
		if err != nil || len(paths) != 3*5 {
			t.Fatalf("%v, %v", paths, err)
		}
		for i, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(first) < len(paths) {
				first = append(first, string(b))
			} else if first[i] != string(b) {
				t.Errorf("%s differs from one time to the next", filepath.Base(path))
			}
		}
	}
	if _, err := png.Decode(strings.NewReader(first[1])); err != nil {
		t.Errorf("PNG: %v", err)
	}
	if !strings.HasPrefix(first[2], "%PDF-") || !strings.Contains(first[2], "(D:20000101000000") {
		t.Error("the PDF has no date, or its own")
	}
}

func TestFiguresOfStudiesWithGaps(t *testing.T) {
	nothing := grid()
	for i := range nothing.Results {
		nothing.Results[i].Test.Accuracy = math.NaN()
	}
	for name, s := range map[string]*result.Study{
		"nothing":       {},
		"one fold":      only(grid(), func(r result.Result) bool { return r.Fold == 1 }),
		"one ratio":     only(grid(), func(r result.Result) bool { return r.Ratio == 0.4 || r.Ratio == 0 }),
		"no unpruned":   only(grid(), func(r result.Result) bool { return r.Stage == result.Scratch }),
		"only unpruned": only(grid(), func(r result.Result) bool { return r.Stage == result.Unpruned }),
		"no numbers":    nothing,
		"one result": only(grid(), func(r result.Result) bool {
			return r.Stage == result.Pruned && r.Fold == 1 && r.Method == "lfp" && r.Ratio == 0.2
		}),
	} {
		figures, err := Figures(s, Usual())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range figures {
			words(t, name, written(t, func(b *bytes.Buffer) error { return f.Write(b, FormatSVG) }))
		}
		written(t, func(b *bytes.Buffer) error {
			return Page(b, &Document{Study: s, Judgement: judged(Wilcoxon)})
		})
	}
	f, err := (&Savings{}).Figure()
	if err != nil {
		t.Fatal(err)
	}
	words(t, "empty savings", written(t, func(b *bytes.Buffer) error { return f.Write(b, FormatSVG) }))
	if err := f.Write(io.Discard, "gif"); err == nil || !strings.Contains(err.Error(), "svg") {
		t.Errorf("format gif: %v", err)
	}
}

func TestTicksAreRoundNumbers(t *testing.T) {
	for _, c := range []struct{ low, high float64 }{{0, 100}, {15, 85}, {47.9, 93.6}, {-1.4, 28.3}, {-1, 1}, {89.91, 90.02}, {5, 5}} {
		all := ticks(c.low, c.high, 8)
		if c.low < c.high && (len(all) < 3 || len(all) > 9) {
			t.Errorf("%d ticks from %g to %g: %v", len(all), c.low, c.high, all)
		}
		for _, tick := range all {
			if tick.Value < c.low-1e-9 || tick.Value > c.high+1e-9 || tick.Label == "-0" || len(tick.Label) > 5 {
				t.Errorf("tick %+v from %g to %g", tick, c.low, c.high)
			}
		}
	}
}

func TestThePageIsWholeAndEscaped(t *testing.T) {
	d := madeUpDocument()
	d.Title = `"A" <b>&`
	page := written(t, func(b *bytes.Buffer) error { return Page(b, d) })
	for _, want := range []string{
		"&#34;A&#34; &lt;b&gt;&amp;", "made up &lt;script&gt;alert(1)&lt;/script&gt;", "&lt;made &amp; up&gt;", // the strings of users
		`class="split leak"`, "KFold, 6 folds", "LEAKS: 100 % of A &amp; B_C &lt;i&gt;", "Savings", "Sensitivity of layers", "eegprune 0",
		"prefers-color-scheme", "@media print", "overflow-x: auto", "width=device-width",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(page, "<svg"); n != 2*5+2 {
		t.Errorf("%d plots", n)
	}
	// All on one page: nothing is fetched, nothing runs.
	if m := regexp.MustCompile(`(?i)<(script|link|img|iframe|i|b)\b|\bsrc=|url\(|@import|href="http`).FindString(page); m != "" {
		t.Errorf("the page has %q", m)
	}
	// Between doctype and end it is well-formed but for the meta elements.
	words(t, "the page", regexp.MustCompile(`(?s)<!DOCTYPE html>|<meta[^>]*>`).ReplaceAllString(page, ""))
}

func TestThePageOfAnEmptyStudy(t *testing.T) {
	page := written(t, func(b *bytes.Buffer) error {
		return Page(b, &Document{Study: &result.Study{}, Judgement: judged(Wilcoxon)})
	})
	if !strings.Contains(page, noResults) || strings.Contains(page, `class="split`) {
		t.Error("the page of an empty study")
	}
}

func TestReadDocumentTakesWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadDocument(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no study: %v", err)
	}
	if err := Write(dir, example()); err != nil {
		t.Fatal(err)
	}
	if d, err := ReadDocument(dir); err != nil || d.Sensitivity != nil || d.Savings != nil {
		t.Errorf("%+v, %v", d, err)
	}
	if err := WriteSavings(dir, madeUpSavings()); err != nil {
		t.Fatal(err)
	}
	if d, err := ReadDocument(dir); err != nil || d.Sensitivity != nil || d.Savings == nil {
		t.Errorf("%+v, %v", d, err)
	}
	if err := os.WriteFile(filepath.Join(dir, SensitivityFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadDocument(dir); err == nil || !strings.Contains(err.Error(), SensitivityFile) {
		t.Errorf("a damaged sensitivity: %v", err)
	}
}
