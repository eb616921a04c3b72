package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/eegprune/eegprune/result"
)

// A Row sums up one network over the folds.
type Row struct {
	result.Variant
	Methods   []string // see ComparisonRow
	Folds     int      // of all seeds
	OfClasses int      // how many of Folds test on clips of every class
	Accuracy  Spread
	Balanced  Spread // over those of every class
	MacroF1   Spread // likewise
	Pooled    *result.Pooled
	Size      result.Size // mean over the folds, which can differ in width
	Speed     result.Speed
}

// Spread is a mean and a sample standard deviation over folds; SD is NaN for one fold.
type Spread struct{ Mean, SD float64 }

func (s Spread) percent() string {
	if math.IsNaN(s.Mean) {
		return ""
	}
	if math.IsNaN(s.SD) {
		return fmt.Sprintf("%.1f", 100*s.Mean)
	}
	return fmt.Sprintf("%.1f ± %.1f", 100*s.Mean, 100*s.SD)
}

// Rows sums up a study, one row for each network that has results, in the order model,
// method, ratio, stage. The unpruned network of a model comes before the pruned ones.
func Rows(s *result.Study) []Row {
	var rows []Row
	for _, g := range distinct(groups(s)) {
		of := func(metric string) Spread {
			v := spreadOver(g.results, onTest(metric))
			return Spread{v.mean, v.folds}
		}
		f1 := spreadOver(g.results, onTest(result.MetricF1))
		row := Row{Variant: g.Variant, Methods: g.methods, Folds: f1.units, OfClasses: f1.defined, Speed: speedOf(s, g.Variant),
			Accuracy: of(result.MetricAccuracy), Balanced: of(result.MetricBalanced), MacroF1: of(result.MetricF1), Size: meanSize(g.results)}
		if p, ok := pooledOf(g.results); ok {
			row.Pooled = &p
		}
		rows = append(rows, row)
	}
	return rows
}

func meanSize(of []result.Result) result.Size {
	return result.Size{
		Parameters:        meanInt(of, func(r result.Result) int64 { return r.Size.Parameters }),
		MACs:              meanInt(of, func(r result.Result) int64 { return r.Size.MACs }),
		FileBytes:         meanInt(of, func(r result.Result) int64 { return r.Size.FileBytes }),
		NonzeroParameters: meanInt(of, func(r result.Result) int64 { return r.Size.NonzeroParameters }),
		NonzeroMACs:       meanInt(of, func(r result.Result) int64 { return r.Size.NonzeroMACs }),
	}
}

// speedOf returns the measured speed of a network; zero where there is none.
func speedOf(s *result.Study, v result.Variant) result.Speed {
	for _, m := range s.Speeds {
		if m.Variant == v {
			return m.Speed
		}
	}
	return result.Speed{}
}

func spreadOf(v []float64) Spread {
	mean, sd := stat.MeanStdDev(v, nil)
	return Spread{Mean: mean, SD: sd}
}

func meanInt(of []result.Result, value func(result.Result) int64) int64 {
	var sum int64
	for _, r := range of {
		sum += value(r)
	}
	return int64(math.Round(float64(sum) / float64(len(of))))
}

const noResults = "no results yet"

// Summary writes the main table: each network's scores and costs.
func Summary(w io.Writer, s *result.Study) error {
	if len(s.Results) == 0 {
		_, err := fmt.Fprintln(w, noResults)
		return err
	}
	return summary(s).text(w)
}

func summary(s *result.Study) *table {
	all := distinct(groups(s))
	rows := Rows(s)
	n := namesOf(all)
	masked := slices.ContainsFunc(rows, func(r Row) bool { return r.Size.Masked() })
	lacking := slices.ContainsFunc(rows, func(r Row) bool { return r.OfClasses < r.Folds })
	t := &table{caption: "What each network reaches and costs.", header: n.header("network")}
	t.words = len(t.header)
	t.header = append(t.header, "folds", "accuracy %", "balanced %", "macro-F1 %", "balanced, pooled %", "macro-F1, pooled %", "parameters", "MACs")
	if masked {
		t.header = append(t.header, "nonzero parameters", "nonzero MACs")
	}
	t.header = append(t.header, "file", "1 clip ms", "64 clips ms")
	whole := result.Size{}
	for i, r := range rows {
		if i == 0 || r.Model != rows[i-1].Model {
			whole = result.Size{}
			if r.Stage == result.Unpruned {
				whole = r.Size
			}
		}
		folds := strconv.Itoa(r.Folds)
		if lacking {
			folds = fmt.Sprintf("%d, %d of all classes", r.Folds, r.OfClasses)
		}
		line := append(n.row(all[i]), folds, r.Accuracy.percent(), r.Balanced.percent(), r.MacroF1.percent())
		line = append(line, pooledText(r.Pooled, result.MetricBalanced), pooledText(r.Pooled, result.MetricF1),
			count(r.Size.Parameters)+saved(r.Size.Parameters, whole.Parameters),
			count(r.Size.MACs)+saved(r.Size.MACs, whole.MACs))
		if masked {
			line = append(line, nonzero(r.Size, r.Size.NonzeroParameters, whole.Parameters), nonzero(r.Size, r.Size.NonzeroMACs, whole.MACs))
		}
		t.add(append(line, fileSize(r.Size.FileBytes), milliseconds(r.Speed.Latency1), milliseconds(r.Speed.Latency64))...)
		t.rows[len(t.rows)-1].apart = i > 0 && r.Model != rows[i-1].Model
		if i+1 == len(rows) || rows[i+1].Model != r.Model {
			if b, ok := baselineOf(all[i]); ok {
				line := make([]string, len(t.header))
				copy(line, n.columns(r.Model, "", "", trivialName))
				copy(line[t.words+1:], []string{percent(&b.Accuracy), "", "", percent(&b.Balanced), percent(&b.MacroF1)})
				t.add(line...)
			}
		}
	}
	t.note("Accuracy, balanced accuracy and macro-F1 are mean ± standard deviation over folds" + seedsText(all) +
		"; pooled, they are of the clips of all folds together. " + trivialMeans)
	if lacking {
		t.note("Folds that lack a class have no balanced accuracy and macro-F1: these are means over the folds of all classes.")
	}
	t.note(sharedNote(all))
	t.note(s.Leak)
	return t
}

// The baseline that stands in every table.
const (
	trivialName  = "trivial baseline"
	trivialMeans = "The trivial baseline always names the commonest class."
)

func pooledText(p *result.Pooled, metric string) string {
	if p == nil {
		return ""
	}
	v := p.By(metric)
	return percent(&v)
}

// seedsText says that means are over seeds too, where they are.
func seedsText(all []group) string {
	seeds := 1
	for _, g := range all {
		seeds = max(seeds, seedsOf(g.results))
	}
	if seeds == 1 {
		return ""
	}
	return fmt.Sprintf(", of means over %d seeds", seeds)
}

// sharedNote says of networks that several methods share that they count once.
func sharedNote(all []group) string {
	if !slices.ContainsFunc(all, func(g group) bool { return len(g.methods) > 1 }) {
		return ""
	}
	return sharedText
}

const sharedText = "A row of several methods is one and the same network: they leave the same widths, and from scratch that is all there is of them. It counts once."

// nonzero is blank for networks that are not masked: all their weights count.
func nonzero(s result.Size, n, whole int64) string {
	if !s.Masked() {
		return ""
	}
	return count(n) + saved(n, whole)
}

// Folds writes the test accuracy of every fold.
func Folds(w io.Writer, s *result.Study) error { return folds(s).text(w) }

func folds(s *result.Study) *table {
	all := distinct(groups(s))
	n := namesOf(all)
	metric := s.JudgedBy()
	seen := map[unit]bool{}
	for _, r := range s.Results {
		seen[unitOf(r.Cell)] = true
	}
	units := slices.SortedFunc(maps.Keys(seen), unit.compare)
	t := &table{caption: fmt.Sprintf("Test %s of every fold in %%.", result.MetricTitle(metric)), header: n.header(result.MetricTitle(metric) + " %")}
	t.words = len(t.header)
	for _, u := range units {
		name := fmt.Sprintf("fold %d", u.fold)
		if u.seed != 0 {
			name = fmt.Sprintf("seed %d, %s", u.seed, name)
		}
		t.header = append(t.header, name)
	}
	line := func(words []string, of []observation) []string {
		line := append(words, make([]string, len(units))...)
		for _, o := range of {
			if !math.IsNaN(o.value) {
				line[t.words+slices.Index(units, o.unit)] = fmt.Sprintf("%.1f", 100*o.value)
			}
		}
		return line
	}
	for i, g := range all {
		t.add(line(n.row(g), observe(g.results, onTest(metric)))...)
		t.rows[len(t.rows)-1].apart = i > 0 && g.Model != all[i-1].Model
		if i+1 < len(all) && all[i+1].Model == g.Model {
			continue
		}
		t.add(line(n.columns(g.Model, "", "", trivialName), observe(g.results, trivialOn(metric)))...)
	}
	t.note(trivialMeans)
	t.note(s.Leak)
	return t
}

// trivialOn is the score on a fold of always predicting its commonest class.
func trivialOn(metric string) func(result.Result) float64 {
	return func(r result.Result) float64 {
		if metric == result.MetricAccuracy {
			return r.Test.Majority
		}
		if result.Sum([][][]int{r.Test.Confusion}) == nil {
			return math.NaN()
		}
		p := result.Pool(result.TrivialConfusion(r.Test.Confusion))
		return result.Score{Balanced: p.Balanced, MacroF1: p.MacroF1, Confusion: r.Test.Confusion}.Defined(metric)
	}
}

// Text writes the whole report: the fields that results of an earlier version lack, settings, notes,
// both tables.
func Text(w io.Writer, s *result.Study) error {
	for _, l := range s.Lacks {
		if _, err := fmt.Fprintf(w, "old results: %s\n", l); err != nil {
			return err
		}
	}
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

func writeSettings(w io.Writer, settings []result.Setting) error {
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
func CSV(w io.Writer, s *result.Study) error {
	c := csv.NewWriter(w)
	lines := [][]string{{"model", "method", "ratio", "stage", "fold", "accuracy", "balanced_accuracy", "macro_f1", "majority",
		"loss", "test_clips", "parameters", "macs", "file_bytes", "best_epoch", "seconds", "seed", "nonzero_parameters", "nonzero_macs",
		"study_seed", "inner", "fit_clips", "validation_clips"}}
	for _, r := range s.Results {
		line := []string{r.Model, r.Method, float(r.Ratio), r.Stage, strconv.Itoa(r.Fold), float(r.Test.Accuracy),
			float(r.Test.Balanced), float(r.Test.MacroF1), float(r.Test.Majority), float(r.Test.Loss), strconv.Itoa(r.Test.Clips),
			strconv.FormatInt(r.Size.Parameters, 10), strconv.FormatInt(r.Size.MACs, 10), strconv.FormatInt(r.Size.FileBytes, 10),
			strconv.Itoa(r.Best), float(r.Seconds), strconv.FormatUint(r.FoldSeed, 10), "", ""}
		if r.Size.Masked() {
			line[len(line)-2] = strconv.FormatInt(r.Size.NonzeroParameters, 10)
			line[len(line)-1] = strconv.FormatInt(r.Size.NonzeroMACs, 10)
		}
		lines = append(lines, append(line, strconv.FormatUint(r.Cell.Seed, 10), strconv.Itoa(r.Inner), strconv.Itoa(r.Clips.Fit), strconv.Itoa(r.Clips.Validation)))
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
