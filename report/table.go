package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
	"gonum.org/v1/gonum/stat"
)

// A Row sums up one stage over the folds.
type Row struct {
	Stage    string
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

// Rows sums up a study, one row for each stage that has results, in order.
func Rows(s *Study) []Row {
	var rows []Row
	for _, stage := range Stages() {
		var of []Result
		for _, r := range s.Results {
			if r.Stage == stage {
				of = append(of, r)
			}
		}
		if len(of) == 0 {
			continue
		}
		row := Row{Stage: stage, Folds: len(of), Speed: speedOf(s, of[0].Variant)}
		row.Accuracy = spread(of, func(r Result) float64 { return r.Test.Accuracy })
		row.Balanced = spread(of, func(r Result) float64 { return r.Test.Balanced })
		row.MacroF1 = spread(of, func(r Result) float64 { return r.Test.MacroF1 })
		row.Majority = spread(of, func(r Result) float64 { return r.Test.Majority })
		row.Size = Size{
			Parameters: meanInt(of, func(r Result) int64 { return r.Size.Parameters }),
			MACs:       meanInt(of, func(r Result) int64 { return r.Size.MACs }),
			FileBytes:  meanInt(of, func(r Result) int64 { return r.Size.FileBytes }),
		}
		rows = append(rows, row)
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

// Summary writes the main table: what each stage of the network reaches and costs.
func Summary(w io.Writer, s *Study) error {
	rows := Rows(s)
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "no results yet")
		return err
	}
	t := NewTable(w, tw.AlignLeft)
	t.Header([]string{"network", "folds", "accuracy %", "balanced %", "macro-F1 %", "majority %",
		"parameters", "MACs", "file", "1 clip ms", "64 clips ms"})
	whole := rows[0].Size
	for _, r := range rows {
		if err := t.Append([]string{r.Stage, strconv.Itoa(r.Folds), r.Accuracy.percent(), r.Balanced.percent(), r.MacroF1.percent(),
			fmt.Sprintf("%.1f", 100*r.Majority.Mean),
			count(r.Size.Parameters) + saved(r.Size.Parameters, whole.Parameters),
			count(r.Size.MACs) + saved(r.Size.MACs, whole.MACs),
			fileSize(r.Size.FileBytes),
			milliseconds(r.Speed.Latency1), milliseconds(r.Speed.Latency64)}); err != nil {
			return err
		}
	}
	return finish(w, t, s)
}

// finish writes a table and under it what its reader must know.
func finish(w io.Writer, t *tablewriter.Table, s *Study) error {
	if err := t.Render(); err != nil || s.Leak == "" {
		return err
	}
	_, err := fmt.Fprintln(w, s.Leak)
	return err
}

// Folds writes the test accuracy of every fold.
func Folds(w io.Writer, s *Study) error {
	folds := 0
	cells := map[string]map[int]Result{}
	for _, r := range s.Results {
		folds = max(folds, r.Fold)
		if cells[r.Stage] == nil {
			cells[r.Stage] = map[int]Result{}
		}
		cells[r.Stage][r.Fold] = r
	}
	t := NewTable(w, tw.AlignLeft)
	header := []string{"accuracy %"}
	for f := 1; f <= folds; f++ {
		header = append(header, fmt.Sprintf("fold %d", f))
	}
	t.Header(header)
	majority := []string{"majority class"}
	for f := 1; f <= folds; f++ {
		text := ""
		for _, stage := range Stages() {
			if r, ok := cells[stage][f]; ok {
				text = fmt.Sprintf("%.1f", 100*r.Test.Majority)
				break
			}
		}
		majority = append(majority, text)
	}
	for _, stage := range Stages() {
		if cells[stage] == nil {
			continue
		}
		line := []string{stage}
		for f := 1; f <= folds; f++ {
			text := ""
			if r, ok := cells[stage][f]; ok {
				text = fmt.Sprintf("%.1f", 100*r.Test.Accuracy)
			}
			line = append(line, text)
		}
		if err := t.Append(line); err != nil {
			return err
		}
	}
	if err := t.Append(majority); err != nil {
		return err
	}
	return finish(w, t, s)
}

// Text writes the whole report: settings, notes, both tables.
func Text(w io.Writer, s *Study) error {
	width := 0
	for _, l := range s.Settings {
		width = max(width, len(l.Name))
	}
	for _, l := range s.Settings {
		if _, err := fmt.Fprintf(w, "%-*s  %s\n", width, l.Name, l.Value); err != nil {
			return err
		}
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

// CSV writes one line for each result.
func CSV(w io.Writer, s *Study) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"model", "method", "ratio", "stage", "fold", "accuracy", "balanced_accuracy", "macro_f1", "majority",
		"loss", "test_clips", "parameters", "macs", "file_bytes", "best_epoch", "seconds", "seed"}); err != nil {
		return err
	}
	float := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, r := range s.Results {
		if err := c.Write([]string{r.Model, r.Method, float(r.Ratio), r.Stage, strconv.Itoa(r.Fold), float(r.Test.Accuracy),
			float(r.Test.Balanced), float(r.Test.MacroF1), float(r.Test.Majority), float(r.Test.Loss), strconv.Itoa(r.Test.Clips),
			strconv.FormatInt(r.Size.Parameters, 10), strconv.FormatInt(r.Size.MACs, 10), strconv.FormatInt(r.Size.FileBytes, 10),
			strconv.Itoa(r.Best), float(r.Seconds), strconv.FormatUint(r.Seed, 10)}); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// NewTable is an empty table in the style that all of the program's have. Columns
// without an alignment hold numbers.
func NewTable(w io.Writer, columns ...tw.Align) *tablewriter.Table {
	return tablewriter.NewTable(w,
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{Global: tw.AlignRight, PerColumn: columns}),
	)
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
