package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// written returns what a function writes.
func written(t *testing.T, write func(b *bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func compared(t *testing.T, s *Study, test PairedTest, format string) string {
	t.Helper()
	return written(t, func(b *bytes.Buffer) error { return Compare(b, s, test, 0.05, format) })
}

func TestRowsOfAGridAreInOrder(t *testing.T) {
	s := grid()
	slices.Reverse(s.Results) // the order of results must not matter
	rows := Rows(s)
	if len(rows) != 2*(2+3*4*3) {
		t.Fatalf("%d rows", len(rows))
	}
	want := []Variant{{"fb_ccnn", Unpruned, "", 0}, {"fb_ccnn", Pruned, "lfp", 0.2}, {"fb_ccnn", FineTuned, "lfp", 0.2}, {"fb_ccnn", Scratch, "lfp", 0.2}, {"fb_ccnn", Pruned, "lfp", 0.4}}
	for i, v := range want {
		if rows[i].Variant != v || rows[i].Folds != 6 {
			t.Errorf("row %d is %+v, want %+v over 6 folds", i, rows[i].Variant, v)
		}
	}
	if v := rows[13].Variant; v != (Variant{"fb_ccnn", Sparse, "nsfp", 0}) {
		t.Errorf("before the networks of a method that trains sparsely comes %+v", v)
	}
	if v := rows[len(rows)/2].Variant; v != (Variant{"tsception", Unpruned, "", 0}) {
		t.Errorf("the second network begins with %+v", v)
	}
}

func TestColumnsThatTellApart(t *testing.T) {
	for name, c := range map[string]struct {
		keep   func(Result) bool
		header string
	}{
		"all":                         {func(Result) bool { return true }, "│ model │ method │ ratio │ network │ folds │"},
		"one model":                   {func(r Result) bool { return r.Model == "fb_ccnn" }, "│ method │ ratio │ network │ folds │"},
		"one method":                  {func(r Result) bool { return r.Model == "fb_ccnn" && (r.Method == "lfp" || r.Method == "") }, "│ ratio │ network │ folds │"},
		"one model, method and ratio": {func(r Result) bool { return r.Model == "fb_ccnn" && r.Ratio == 0.4 && r.Method == "lfp" }, "│ network │ folds │"},
		"with the sparsely trained ones": {func(r Result) bool {
			return r.Model == "fb_ccnn" && r.Method == "nsfp" && (r.Ratio == 0 || r.Ratio == 0.4)
		}, "│ network │ folds │"},
	} {
		s := only(grid(), c.keep)
		text := written(t, func(b *bytes.Buffer) error { return Summary(b, s) })
		header := strings.Join(strings.Fields(strings.Split(text, "\n")[1]), " ")
		if !strings.HasPrefix(header, c.header) {
			t.Errorf("%s: header %q, want %q", name, header, c.header)
		}
		if masked := slices.ContainsFunc(s.Results, func(r Result) bool { return r.Method == "uwmp" }); masked != strings.Contains(header, "nonzero MACs") {
			t.Errorf("%s: nonzeros are shown: %v", name, !masked)
		}
		if !strings.HasSuffix(text, s.Leak+"\n") {
			t.Errorf("%s: the leak is not said", name)
		}
	}
}

// A loss that all 6 folds show has p = 1/64, the smallest that 6 folds can give.
func TestComparisonMarksWhatIsWorse(t *testing.T) {
	s := grid()
	c, err := NewComparison(s, PairedTest{Name: Wilcoxon}, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Rows) != len(Rows(s)) || c.Tested != len(c.Rows)-2 {
		t.Errorf("%d rows, %d tested", len(c.Rows), c.Tested)
	}
	best := map[float64]int{}
	for _, r := range c.Rows {
		if r.Best {
			best[r.Ratio]++
			if r.Stage != FineTuned && r.Stage != Scratch {
				t.Errorf("%+v is marked as the best recovery", r.Variant)
			}
		}
		switch {
		case r.Stage == Unpruned:
			if r.P != nil || r.Worse || r.Loss != nil {
				t.Errorf("the unpruned network was compared with itself: %+v", r)
			}
		case r.Stage == Pruned && r.Ratio == 0.8:
			if r.P == nil || math.Abs(*r.P-1./64) > 1e-12 || !r.Worse || *r.Loss < 0.1 {
				t.Errorf("%+v: %+v", r.Variant, r)
			}
		case r.Worse != (*r.P <= 0.05):
			t.Errorf("%+v has p = %g and is marked %v", r.Variant, *r.P, r.Worse)
		}
	}
	for ratio, n := range best {
		if n != 2 || len(best) != 4 {
			t.Errorf("ratio %g: %d best recoveries of 2 networks", ratio, n)
		}
	}
}

func TestEveryFormatOfTheComparison(t *testing.T) {
	s := grid()
	for _, format := range Formats() {
		text := compared(t, s, PairedTest{Name: Wilcoxon}, format)
		leak := map[string]string{
			FormatLaTeX:    `LEAKS: 100 \% of A \& B\_C $<$i$>$`,
			FormatMarkdown: `LEAKS: 100 % of A &amp; B\_C &lt;i&gt;`,
			FormatJSON:     `LEAKS: 100 % of A \u0026 B_C \u003ci\u003e`,
		}[format]
		if leak == "" {
			leak = s.Leak
		}
		for _, want := range []string{leak, "0.05", "ilcoxon"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", format, want)
			}
		}
		if format != FormatJSON && format != FormatCSV && (!strings.Contains(text, "6 folds") || !strings.Contains(text, "not corrected for the 74 comparisons")) {
			t.Errorf("%s does not say over how many folds and of how many comparisons", format)
		}
	}
	if err := Compare(nil, s, PairedTest{Name: Wilcoxon}, 0.05, "xml"); err == nil || !strings.Contains(err.Error(), "markdown") {
		t.Errorf("format xml: %v", err)
	}
}

func TestComparisonReadsBack(t *testing.T) {
	s := grid()
	want, err := NewComparison(s, PairedTest{CorrectedT, 0.2}, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	var c Comparison
	if err := json.Unmarshal([]byte(compared(t, s, PairedTest{CorrectedT, 0.2}, FormatJSON)), &c); err != nil || len(c.Rows) != len(want.Rows) || c.TestShare != 0.2 {
		t.Errorf("JSON has %d rows, share %g, %v", len(c.Rows), c.TestShare, err)
	}
	lines, err := csv.NewReader(strings.NewReader(compared(t, s, PairedTest{CorrectedT, 0.2}, FormatCSV))).ReadAll()
	if err != nil || len(lines) != 1+len(want.Rows) {
		t.Fatalf("CSV has %d lines, %v", len(lines), err)
	}
	at := slices.Index(lines[0], "p")
	for i, r := range want.Rows {
		p, err := strconv.ParseFloat(lines[i+1][at], 64)
		if r.P == nil {
			if lines[i+1][at] != "" {
				t.Errorf("%+v has p %q", r.Variant, lines[i+1][at])
			}
		} else if err != nil || p != *r.P {
			t.Errorf("%+v has p %g, want %g", r.Variant, p, *r.P)
		}
	}
}

// Each line of a table in LaTeX has as many cells as the others, and in Markdown.
func TestRowsOfMarkupHaveEqualCells(t *testing.T) {
	s := grid()
	for i := range s.Results {
		s.Results[i].Model += "|&%"
	}
	for format, separator := range map[string]string{FormatLaTeX: "&", FormatMarkdown: "|"} {
		cells := 0
		text := strings.NewReplacer(`\`+separator, "", "&amp;", "").Replace(compared(t, s, PairedTest{Name: Wilcoxon}, format))
		for line := range strings.Lines(text) {
			n := strings.Count(line, separator)
			if n == 0 || strings.HasPrefix(line, "LEAKS") {
				continue
			}
			if cells == 0 {
				cells = n
			}
			if n != cells {
				t.Errorf("%s: %d separators in place of %d: %s", format, n, cells, line)
			}
		}
		if cells < 10 {
			t.Errorf("%s: %d separators", format, cells)
		}
	}
}

func TestComparisonsThatCantBeTested(t *testing.T) {
	wilcoxon := PairedTest{Name: Wilcoxon}
	for name, c := range map[string]struct {
		study *Study
		want  string
	}{
		"nothing":       {&Study{}, "no results yet"},
		"one fold":      {only(grid(), func(r Result) bool { return r.Fold == 1 }), "1 fold"},
		"too few folds": {only(grid(), func(r Result) bool { return r.Fold < 4 }), "Wilcoxon over 3 folds can't go below p = 0.125"},
		"no unpruned":   {only(grid(), func(r Result) bool { return r.Stage != Unpruned }), "no unpruned"},
		"only unpruned": {only(grid(), func(r Result) bool { return r.Stage == Unpruned }), "6 folds"},
		"folds missing": {only(grid(), func(r Result) bool { return r.Stage != Scratch || r.Fold > 1 }), "5 to 6 folds"},
	} {
		for _, format := range []string{FormatText, FormatMarkdown, FormatLaTeX} {
			if text := compared(t, c.study, wilcoxon, format); !strings.Contains(text, c.want) {
				t.Errorf("%s in %s lacks %q:\n%s", name, format, c.want, text)
			}
		}
		for _, format := range []string{FormatCSV, FormatJSON} {
			compared(t, c.study, wilcoxon, format)
		}
	}
	notANumber := grid()
	for i := range notANumber.Results {
		if notANumber.Results[i].Fold == 2 && notANumber.Results[i].Stage == Pruned {
			notANumber.Results[i].Test.Accuracy = math.NaN()
		}
	}
	for _, format := range Formats() {
		text := compared(t, notANumber, wilcoxon, format)
		if format == FormatText && !strings.Contains(text, "NaN: these are no accuracies") {
			t.Errorf("the text does not say that an accuracy is no number:\n%s", text)
		}
	}
	if _, err := NewComparison(grid(), PairedTest{Name: "sign"}, 0.05); err == nil {
		t.Error("an unknown test is taken")
	}
	if _, err := NewComparison(grid(), wilcoxon, 1.5); err == nil {
		t.Error("a level of 1.5 is taken")
	}
}

func TestSweepHasARowForEachRatio(t *testing.T) {
	s := grid()
	for _, format := range []string{FormatText, FormatMarkdown, FormatLaTeX} {
		text := written(t, func(b *bytes.Buffer) error { return Sweep(b, s, format) })
		for _, want := range []string{"tsception pruned by lfp", "nonzero MACs", "80.0", "64.0"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", format, want)
			}
		}
		if n := strings.Count(text, "LEAKS"); n != 6 {
			t.Errorf("%s says %d times that the split leaks, want it under each of 6 tables", format, n)
		}
	}
	if text := written(t, func(b *bytes.Buffer) error { return Sweep(b, &Study{}, FormatText) }); text != "no results yet\n" {
		t.Errorf("an empty study: %q", text)
	}
}
