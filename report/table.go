package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"
)

// A Row sums up one network over the folds.
type Row struct {
	Variant
	Folds    int
	Accuracy Spread
	Balanced Spread
	MacroF1  Spread
	Majority Spread
	Size     Size // mean over the folds, which can differ in width
	Speed    Speed
}

// Spread is a mean and a sample standard deviation over folds; SD is NaN for one fold.
type Spread struct{ Mean, SD float64 }

func (s Spread) percent() string {
	if math.IsNaN(s.SD) {
		return fmt.Sprintf("%.1f", 100*s.Mean)
	}
	return fmt.Sprintf("%.1f ± %.1f", 100*s.Mean, 100*s.SD)
}

// Rows sums up a study, one row for each network that has results, in the order model,
// method, ratio, stage. The unpruned network of a model comes before the pruned ones.
func Rows(s *Study) []Row {
	var rows []Row
	for _, g := range groups(s) {
		of := g.results
		rows = append(rows, Row{Variant: g.Variant, Folds: len(of), Speed: speedOf(s, g.Variant),
			Accuracy: spread(of, func(r Result) float64 { return r.Test.Accuracy }),
			Balanced: spread(of, func(r Result) float64 { return r.Test.Balanced }),
			MacroF1:  spread(of, func(r Result) float64 { return r.Test.MacroF1 }),
			Majority: spread(of, func(r Result) float64 { return r.Test.Majority }),
			Size: Size{
				Parameters:        meanInt(of, func(r Result) int64 { return r.Size.Parameters }),
				MACs:              meanInt(of, func(r Result) int64 { return r.Size.MACs }),
				FileBytes:         meanInt(of, func(r Result) int64 { return r.Size.FileBytes }),
				NonzeroParameters: meanInt(of, func(r Result) int64 { return r.Size.NonzeroParameters }),
				NonzeroMACs:       meanInt(of, func(r Result) int64 { return r.Size.NonzeroMACs }),
			}})
	}
	return rows
}

// speedOf returns what was measured of a network; zero where nothing was.
func speedOf(s *Study, v Variant) Speed {
	for _, m := range s.Speeds {
		if m.Variant == v {
			return m.Speed
		}
	}
	return Speed{}
}

func spread(of []Result, value func(Result) float64) Spread {
	v := make([]float64, len(of))
	for i, r := range of {
		v[i] = value(r)
	}
	return spreadOf(v)
}

func spreadOf(v []float64) Spread {
	mean, sd := stat.MeanStdDev(v, nil)
	return Spread{Mean: mean, SD: sd}
}

func meanInt(of []Result, value func(Result) int64) int64 {
	var sum int64
	for _, r := range of {
		sum += value(r)
	}
	return int64(math.Round(float64(sum) / float64(len(of))))
}

// masked says whether some weights are there but zero.
func (s Size) masked() bool { return s.NonzeroParameters != 0 || s.NonzeroMACs != 0 }

const noResults = "no results yet"

// Summary writes the main table: what each network reaches and costs.
func Summary(w io.Writer, s *Study) error {
	if len(s.Results) == 0 {
		_, err := fmt.Fprintln(w, noResults)
		return err
	}
	return summary(s).text(w)
}

func summary(s *Study) *table {
	all := groups(s)
	rows := Rows(s)
	n := namesOf(all)
	masked := slices.ContainsFunc(rows, func(r Row) bool { return r.Size.masked() })
	t := &table{caption: "What each network reaches and costs.", header: n.header("network")}
	t.words = len(t.header)
	t.header = append(t.header, "folds", "accuracy %", "balanced %", "macro-F1 %", "majority %", "parameters", "MACs")
	if masked {
		t.header = append(t.header, "nonzero parameters", "nonzero MACs")
	}
	t.header = append(t.header, "file", "1 clip ms", "64 clips ms")
	whole := Size{}
	for i, r := range rows {
		if i == 0 || r.Model != rows[i-1].Model {
			whole = Size{}
			if r.Stage == Unpruned {
				whole = r.Size
			}
		}
		line := append(n.row(r.Variant), strconv.Itoa(r.Folds), r.Accuracy.percent(), r.Balanced.percent(), r.MacroF1.percent(),
			fmt.Sprintf("%.1f", 100*r.Majority.Mean),
			count(r.Size.Parameters)+saved(r.Size.Parameters, whole.Parameters),
			count(r.Size.MACs)+saved(r.Size.MACs, whole.MACs))
		if masked {
			line = append(line, nonzero(r.Size, r.Size.NonzeroParameters, whole.Parameters), nonzero(r.Size, r.Size.NonzeroMACs, whole.MACs))
		}
		t.add(append(line, fileSize(r.Size.FileBytes), milliseconds(r.Speed.Latency1), milliseconds(r.Speed.Latency64))...)
		t.rows[i].apart = i > 0 && r.Model != rows[i-1].Model
	}
	t.note(s.Leak)
	return t
}

// nonzero is blank for networks that are not masked: all their weights count.
func nonzero(s Size, n, whole int64) string {
	if !s.masked() {
		return ""
	}
	return count(n) + saved(n, whole)
}

// Folds writes the test accuracy of every fold.
func Folds(w io.Writer, s *Study) error { return folds(s).text(w) }

func folds(s *Study) *table {
	all := groups(s)
	n := namesOf(all)
	last := 0
	for _, r := range s.Results {
		last = max(last, r.Fold)
	}
	t := &table{caption: "Test accuracy of every fold in %.", header: n.header("accuracy %")}
	t.words = len(t.header)
	for f := 1; f <= last; f++ {
		t.header = append(t.header, fmt.Sprintf("fold %d", f))
	}
	majority := make([]string, t.words+last)
	majority[t.words-1] = "majority class"
	for i, g := range all {
		line := append(n.row(g.Variant), make([]string, last)...)
		for _, r := range g.results {
			column := t.words + r.Fold - 1
			if r.Fold < 1 {
				continue
			}
			line[column] = fmt.Sprintf("%.1f", 100*r.Test.Accuracy)
			if majority[column] == "" {
				majority[column] = fmt.Sprintf("%.1f", 100*r.Test.Majority)
			}
		}
		t.add(line...)
		t.rows[i].apart = i > 0 && g.Model != all[i-1].Model
	}
	t.add(majority...)
	t.note(s.Leak)
	return t
}

// Text writes the whole report: settings, notes, both tables.
func Text(w io.Writer, s *Study) error {
	if err := writeSettings(w, s.Settings); err != nil {
		return err
	}
	for _, n := range s.Notes {
		if _, err := fmt.Fprintf(w, "note: %s\n", n); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	if err := Summary(w, s); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return Folds(w, s)
}

func writeSettings(w io.Writer, settings []Setting) error {
	width := 0
	for _, l := range settings {
		width = max(width, len(l.Name))
	}
	for _, l := range settings {
		if _, err := fmt.Fprintf(w, "%-*s  %s\n", width, l.Name, l.Value); err != nil {
			return err
		}
	}
	return nil
}

// CSV writes one line for each result. The two columns of nonzeros are empty but for
// networks with masked weights.
func CSV(w io.Writer, s *Study) error {
	c := csv.NewWriter(w)
	lines := [][]string{{"model", "method", "ratio", "stage", "fold", "accuracy", "balanced_accuracy", "macro_f1", "majority",
		"loss", "test_clips", "parameters", "macs", "file_bytes", "best_epoch", "seconds", "seed", "nonzero_parameters", "nonzero_macs"}}
	for _, r := range s.Results {
		line := []string{r.Model, r.Method, float(r.Ratio), r.Stage, strconv.Itoa(r.Fold), float(r.Test.Accuracy),
			float(r.Test.Balanced), float(r.Test.MacroF1), float(r.Test.Majority), float(r.Test.Loss), strconv.Itoa(r.Test.Clips),
			strconv.FormatInt(r.Size.Parameters, 10), strconv.FormatInt(r.Size.MACs, 10), strconv.FormatInt(r.Size.FileBytes, 10),
			strconv.Itoa(r.Best), float(r.Seconds), strconv.FormatUint(r.FoldSeed, 10), "", ""}
		if r.Size.masked() {
			line[len(line)-2] = strconv.FormatInt(r.Size.NonzeroParameters, 10)
			line[len(line)-1] = strconv.FormatInt(r.Size.NonzeroMACs, 10)
		}
		lines = append(lines, line)
	}
	return c.WriteAll(lines)
}

// float writes a number so that it reads back as it is; none is an empty field.
func float(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// count writes a number with its thousands apart.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// saved writes how much smaller n is than whole.
func saved(n, whole int64) string {
	if whole == 0 || n == whole {
		return ""
	}
	return fmt.Sprintf(" (%+.1f %%)", 100*(float64(n)/float64(whole)-1))
}

func fileSize(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.0f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

func milliseconds(v float64) string {
	if v == 0 {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%.2f", v))
}
