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

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/result"
)

// written returns the output of a function.
func written(t *testing.T, write func(b *bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func compared(t *testing.T, s *result.Study, j Judgement, format string) string {
	t.Helper()
	return written(t, func(b *bytes.Buffer) error { return Compare(b, s, j, format) })
}

func judged(test string) Judgement { return Judgement{Test: test, Level: 0.05, Margin: 0.02} }

func TestRowsOfAGridAreInOrder(t *testing.T) {
	s := grid()
	slices.Reverse(s.Results) // the order of results must not matter
	rows := Rows(s)
	if len(rows) != 2*(3+3*4*3) {
		t.Fatalf("%d rows", len(rows))
	}
	want := []result.Variant{{Model: "fb_ccnn", Stage: result.Unpruned, Method: "", Ratio: 0}, {Model: "fb_ccnn", Stage: result.TrainedOn, Method: "", Ratio: 0}, {Model: "fb_ccnn", Stage: result.Pruned, Method: "lfp", Ratio: 0.2}, {Model: "fb_ccnn", Stage: result.FineTuned, Method: "lfp", Ratio: 0.2}, {Model: "fb_ccnn", Stage: result.Scratch, Method: "lfp", Ratio: 0.2}, {Model: "fb_ccnn", Stage: result.Pruned, Method: "lfp", Ratio: 0.4}}
	for i, v := range want {
		if rows[i].Variant != v || rows[i].Folds != 6 {
			t.Errorf("row %d is %+v, want %+v over 6 folds", i, rows[i].Variant, v)
		}
	}
	if v := rows[14].Variant; v != (result.Variant{Model: "fb_ccnn", Stage: result.Sparse, Method: "nsfp", Ratio: 0}) {
		t.Errorf("before the networks of a method that trains sparsely comes %+v", v)
	}
	if v := rows[len(rows)/2].Variant; v != (result.Variant{Model: "tsception", Stage: result.Unpruned, Method: "", Ratio: 0}) {
		t.Errorf("the second network begins with %+v", v)
	}
}

func TestColumnsThatTellApart(t *testing.T) {
	for name, c := range map[string]struct {
		keep   func(result.Result) bool
		header string
	}{
		"all":                         {func(result.Result) bool { return true }, "│ model │ method │ ratio │ network │ folds │"},
		"one model":                   {func(r result.Result) bool { return r.Model == "fb_ccnn" }, "│ method │ ratio │ network │ folds │"},
		"one method":                  {func(r result.Result) bool { return r.Model == "fb_ccnn" && (r.Method == "lfp" || r.Method == "") }, "│ ratio │ network │ folds │"},
		"one model, method and ratio": {func(r result.Result) bool { return r.Model == "fb_ccnn" && r.Ratio == 0.4 && r.Method == "lfp" }, "│ network │ folds │"},
		"with the sparsely trained ones": {func(r result.Result) bool {
			return r.Model == "fb_ccnn" && r.Method == "nsfp" && (r.Ratio == 0 || r.Ratio == 0.4)
		}, "│ network │ folds │"},
	} {
		s := only(grid(), c.keep)
		text := written(t, func(b *bytes.Buffer) error { return Summary(b, s) })
		header := strings.Join(strings.Fields(strings.Split(text, "\n")[1]), " ")
		if !strings.HasPrefix(header, c.header) {
			t.Errorf("%s: header %q, want %q", name, header, c.header)
		}
		if masked := slices.ContainsFunc(s.Results, func(r result.Result) bool { return r.Method == "uwmp" }); masked != strings.Contains(header, "nonzero MACs") {
			t.Errorf("%s: nonzeros are shown: %v", name, !masked)
		}
		if !strings.HasSuffix(text, s.Leak+"\n") {
			t.Errorf("%s: the leak is not said", name)
		}
	}
}

func TestComparisonMarksWhatIsWorse(t *testing.T) {
	s := grid()
	c, err := NewComparison(s, Usual())
	if err != nil {
		t.Fatal(err)
	}
	controls := 0
	for _, r := range c.Rows {
		if r.Stage == result.TrainedOn || r.Stage == result.Sparse {
			controls++
		}
	}
	if len(c.Rows) != len(Rows(s)) || c.Tested != len(c.Rows)-2-controls || controls == 0 {
		t.Errorf("%d rows, %d tested", len(c.Rows), c.Tested)
	}
	best := map[float64]int{}
	for _, r := range c.Rows {
		if r.Best {
			best[r.Ratio]++
			if r.Stage != result.FineTuned && r.Stage != result.Scratch {
				t.Errorf("%+v is marked as the best recovery", r.Variant)
			}
		}
		switch {
		case r.Stage == result.Unpruned:
			if r.P != nil || r.Worse || r.Loss != nil {
				t.Errorf("the unpruned network was compared with itself: %+v", r)
			}
		case r.Reference != map[bool]string{true: result.TrainedOn, false: result.Unpruned}[r.Stage == result.FineTuned]:
			t.Errorf("%+v is judged against %s", r.Variant, r.Reference)
		case r.Stage == result.TrainedOn || r.Stage == result.Sparse:
			if r.P == nil || r.PHolm != nil || r.Worse {
				t.Errorf("the control %+v is in the family", r)
			}
		case *r.PHolm < *r.P || *r.LossLow > *r.Loss || *r.LossHigh < *r.Loss || *r.Detectable <= 0 || !near(r.TestShare, 0.2, 1e-12):
			t.Errorf("%+v: %+v", r.Variant, r)
		case r.Stage == result.Pruned && r.Ratio == 0.8:
			if !r.Worse || *r.Loss < 0.1 {
				t.Errorf("%+v: %+v", r.Variant, r)
			}
		case r.Worse != (*r.PHolm <= 0.05):
			t.Errorf("%+v has p = %g and is marked %v", r.Variant, *r.PHolm, r.Worse)
		}
	}
	// Of one cost are, of each network, the two recoveries of uwmp, of lfp and nsfp together
	// where these have the same size, though not the same widths.
	for ratio, n := range best {
		if n < 4 || n > 6 || len(best) != 4 {
			t.Errorf("ratio %g: %d best recoveries of 2 networks at 2 costs", ratio, n)
		}
	}
}

// The best of all would be the one of lfp, which costs more than that of uwmp.
func TestBestIsAmongRowsOfOneCost(t *testing.T) {
	var s result.Study
	for i, v := range []struct {
		method string
		right  int
		macs   int64
		stage  string
	}{{"lfp", 90, 1000, result.FineTuned}, {"lfp", 85, 1000, result.Scratch}, {"uwmp", 80, 500, result.FineTuned}, {"uwmp", 70, 500, result.Scratch}, {"sfp", 60, 250, result.FineTuned}} {
		s.Results = append(s.Results, result.Result{Cell: result.Cell{Variant: result.Variant{Model: "m", Stage: v.stage, Method: v.method, Ratio: 0.5}, Fold: 1}, FoldSeed: uint64(i), Test: scored(v.right, 1), Size: result.Size{Parameters: v.macs, MACs: v.macs}})
	}
	c, err := NewComparison(&s, Usual())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rows {
		if want := r.Stage == result.FineTuned && r.Method != "sfp"; r.Best != want {
			t.Errorf("%s %s of %d MACs is best of its cost: %v", r.Method, r.Stage, r.Size.MACs, r.Best)
		}
	}
}

// twins are three methods of equal widths: from scratch they are one network.
func twins() *result.Study {
	s := &result.Study{Schema: result.Schema}
	add := func(v result.Variant, fold, right int) {
		r := result.Result{Cell: result.Cell{Variant: v, Fold: fold}, FoldSeed: uint64(fold), Test: scored(right, fold), Validation: scored(right, fold),
			Size: result.Size{Parameters: 100, MACs: 100}, Clips: result.FoldClips{Fit: 60, Validation: 20, Test: 20}}
		if v.Method != "" {
			r.Size, r.Widths = result.Size{Parameters: 50, MACs: 40}, []result.Width{{Group: "conv1", Before: 10, After: 5}}
		}
		s.Results = append(s.Results, r)
	}
	for fold := 1; fold <= 5; fold++ {
		add(result.Variant{Model: "m", Stage: result.Unpruned}, fold, 90+fold)
		add(result.Variant{Model: "m", Stage: result.TrainedOn}, fold, 91+fold)
		for i, method := range []string{"fpgm", "lfp", "random"} {
			add(result.Variant{Model: "m", Stage: result.FineTuned, Method: method, Ratio: 0.5}, fold, 86+2*i+fold%2)
			add(result.Variant{Model: "m", Stage: result.Scratch, Method: method, Ratio: 0.5}, fold, 89+fold%3)
		}
	}
	return s
}

func TestOneNetworkOfSeveralMethodsCountsOnce(t *testing.T) {
	s := twins()
	c, err := NewComparison(s, Usual())
	if err != nil {
		t.Fatal(err)
	}
	// Three fine-tuned and one from scratch; that trained on is a control.
	if len(c.Rows) != 6 || c.Tested != 4 || len(c.Pairs) != 1 || len(Rows(s)) != 6 {
		t.Fatalf("%d rows, %d tests, %d pairs", len(c.Rows), c.Tested, len(c.Pairs))
	}
	for _, r := range c.Rows {
		if r.Stage == result.Scratch && !slices.Equal(r.Methods, []string{"fpgm", "lfp", "random"}) {
			t.Errorf("the network from scratch is of %v", r.Methods)
		}
	}
	for _, format := range []string{FormatText, FormatMarkdown, FormatLaTeX, FormatCSV} {
		text := compared(t, s, Usual(), format)
		want := "fpgm, lfp, random"
		if format == FormatCSV {
			want = "fpgm lfp random"
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say of which methods the network is", format)
		}
	}
	if text := written(t, func(b *bytes.Buffer) error { return Summary(b, s) }); !strings.Contains(text, "fpgm, lfp, random") {
		t.Error("the summary does not say of which methods the network is")
	}
	// Other seeds or widths make other networks.
	for name, change := range map[string]func(*result.Result){
		"seed":  func(r *result.Result) { r.FoldSeed++ },
		"width": func(r *result.Result) { r.Widths = []result.Width{{Group: "conv1", Before: 10, After: 6}} },
		"masks": func(r *result.Result) { r.Size.NonzeroMACs = 20 },
	} {
		s := twins()
		for i, r := range s.Results {
			if r.Method == "random" {
				change(&s.Results[i])
			}
		}
		if n := len(Rows(s)); n != 7 {
			t.Errorf("with another %s there are %d networks, want 7", name, n)
		}
	}
}

// The mean of the three fine-tuned networks over folds 1 to 5 is 88 or 89 by turns (odd folds 89, even 88),
// scratch is 90 91 89 90 91: by fold the gains are 1 3 0 2 2 points, mean 1.6, squares about
// it sum to 5.2; sd^2 = 1.3. With 20 test clips for 80 others the variance of the mean is
// 1.3 (1/5 + 1/4) = .585, t = 1.6/.764853 = 2.091905; scipy: 2 * t.sf(2.091905, 4) =
// .104605, t.ppf(.975, 4) = 2.776445.
func TestScratchAgainstFineTunedIsOneTest(t *testing.T) {
	c, err := NewComparison(twins(), Usual())
	if err != nil {
		t.Fatal(err)
	}
	o := c.Overall
	if o == nil || o.Folds != 5 || o.Pairs != 1 || o.Better != 1 || !near(*o.Gain, 0.016, 1e-12) || !near(*o.P, 0.104605, 1e-6) ||
		!near(*o.Low, 0.016-2.776445*0.00764853, 1e-7) || !near(*o.High, 0.016+2.776445*0.00764853, 1e-7) {
		t.Errorf("%+v: gain %g, p %g, [%g, %g]", o, *o.Gain, *o.P, *o.Low, *o.High)
	}
	text := compared(t, twins(), Usual(), FormatText)
	if start, end := strings.Index(text, "Scratch against fine-tuned."), strings.Index(text, "The largest saving without loss."); start < 0 || end < start {
		t.Errorf("the text does not end with the two claims:\n%s", text)
	}
}

// The corrected repeated k-fold cv test has seeds times folds observations and the share
// of one repetition; inner folds of a fold are one observation.
func TestSeedsAreRepetitionsAndInnerFoldsAreNot(t *testing.T) {
	var s result.Study
	var a, b []float64
	for seed := uint64(1); seed <= 2; seed++ {
		for fold := 1; fold <= 5; fold++ {
			lost := int(seed)*fold%4 + 1
			a, b = append(a, scored(90, fold).Accuracy), append(b, scored(90-lost, fold).Accuracy)
			for inner := 1; inner <= 2; inner++ {
				for stage, right := range map[string]int{result.Unpruned: 90, result.Pruned: 90 - lost} {
					s.Results = append(s.Results, result.Result{Cell: result.Cell{Variant: result.Variant{Model: "m", Stage: stage}, Seed: seed, Fold: fold, Inner: inner},
						Test: scored(right+2*inner-3, fold), Clips: result.FoldClips{Fit: 60, Validation: 20, Test: 20}})
				}
			}
		}
	}
	c, err := NewComparison(&s, Usual())
	if err != nil {
		t.Fatal(err)
	}
	want, err := PairedTest{CorrectedT, 0.25}.Worse(a, b)
	if r := c.Rows[1]; err != nil || r.Folds != 10 || r.Seeds != 2 || !near(*r.P, want, 1e-9) || !near(r.TestShare, 0.25, 1e-15) {
		t.Errorf("%+v, want p %g over 10 folds of 2 seeds, %v", r, want, err)
	}
}

func TestEveryFormatOfTheComparison(t *testing.T) {
	s := grid()
	for _, format := range Formats() {
		text := compared(t, s, judged(Wilcoxon), format)
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
		if format != FormatJSON && format != FormatCSV && (!strings.Contains(text, "6 folds") || !strings.Contains(text, "Holm")) {
			t.Errorf("%s does not say over how many folds and of how many comparisons", format)
		}
	}
	if err := Compare(nil, s, judged(Wilcoxon), "xml"); err == nil || !strings.Contains(err.Error(), "markdown") {
		t.Errorf("format xml: %v", err)
	}
}

func TestComparisonReadsBack(t *testing.T) {
	s := grid()
	want, err := NewComparison(s, Usual())
	if err != nil {
		t.Fatal(err)
	}
	var c Comparison
	if err := json.Unmarshal([]byte(compared(t, s, Usual(), FormatJSON)), &c); err != nil || !cmp.Equal(&c, want) {
		t.Errorf("JSON has %d rows, %v", len(c.Rows), err)
	}
	lines, err := csv.NewReader(strings.NewReader(compared(t, s, Usual(), FormatCSV))).ReadAll()
	if err != nil || len(lines) != 1+len(want.Rows)+2+len(want.Pairs)+1+2 {
		t.Fatalf("CSV has %d lines, %v", len(lines), err)
	}
	column := slices.Index(lines[0], "p")
	for i, r := range want.Rows {
		p, err := strconv.ParseFloat(lines[i+1][column], 64)
		if r.P == nil {
			if lines[i+1][column] != "" {
				t.Errorf("%+v has p %q", r.Variant, lines[i+1][column])
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
		cells, tables := 0, 0
		text := strings.NewReplacer(`\`+separator, "", "&amp;", "").Replace(compared(t, s, judged(Wilcoxon), format))
		for line := range strings.Lines(text) {
			n := strings.Count(line, separator)
			if strings.Contains(line, "tabular") || strings.HasPrefix(line, separator+" --") {
				continue
			}
			if n == 0 || strings.HasPrefix(line, "LEAKS") {
				cells = 0
				continue
			}
			if cells == 0 {
				cells, tables = n, tables+1
			}
			if n != cells {
				t.Errorf("%s: %d separators in place of %d: %s", format, n, cells, line)
			}
		}
		if tables < 3 {
			t.Errorf("%s: %d tables", format, tables)
		}
	}
}

func TestComparisonsThatCantBeTested(t *testing.T) {
	wilcoxon := judged(Wilcoxon)
	for name, c := range map[string]struct {
		study *result.Study
		want  string
	}{
		"nothing":       {&result.Study{}, "no results yet"},
		"one fold":      {only(grid(), func(r result.Result) bool { return r.Fold == 1 }), "1 fold"},
		"too few folds": {only(grid(), func(r result.Result) bool { return r.Fold < 4 }), "Wilcoxon over 3 folds can't go below p = 0.125"},
		"no unpruned":   {only(grid(), func(r result.Result) bool { return r.Stage != result.Unpruned }), "no unpruned"},
		"only unpruned": {only(grid(), func(r result.Result) bool { return r.Stage == result.Unpruned }), "6 folds"},
		"folds missing": {only(grid(), func(r result.Result) bool { return r.Stage != result.Scratch || r.Fold > 1 }), "5 to 6 folds"},
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
		if notANumber.Results[i].Fold == 2 && notANumber.Results[i].Stage == result.Pruned {
			notANumber.Results[i].Test.Accuracy = math.NaN()
		}
	}
	for _, format := range Formats() {
		text := compared(t, notANumber, wilcoxon, format)
		if format == FormatText && !strings.Contains(text, "5 of 6") {
			t.Errorf("the text does not say that an accuracy is no number:\n%s", text)
		}
	}
	if _, err := NewComparison(grid(), judged("sign")); err == nil {
		t.Error("an unknown test is taken")
	}
	if _, err := NewComparison(grid(), Judgement{Test: Wilcoxon, Level: 1.5, Margin: 0.02}); err == nil {
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
	if text := written(t, func(b *bytes.Buffer) error { return Sweep(b, &result.Study{}, FormatText) }); text != "no results yet\n" {
		t.Errorf("an empty study: %q", text)
	}
}
