package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/result"
)

// Savings are the largest ratios at which networks lose nothing that counts: chosen on
// the validation clips, and tested once on the test clips.
type Savings struct {
	Schema   int              `json:"schema"`
	Metric   string           `json:"metric"` // see Study
	Test     string           `json:"test"`   // see PairedTest
	Level    float64          `json:"level"`
	Margin   float64          `json:"margin"` // see Judgement
	Settings []result.Setting `json:"settings"`
	Leak     string           `json:"leak,omitempty"`  // see Study
	Leaks    []string         `json:"leaks,omitempty"` // likewise
	Rows     []Saving         `json:"rows"`
}

// A Saving is the saving by one method of one model under one recovery.
type Saving struct {
	Model     string      `json:"model"`
	Method    string      `json:"method"`
	Stage     string      `json:"stage"` // which recovery
	Ratio     float64     `json:"ratio"` // the largest whose loss on the validation clips is shown to be below the margin; 0 where none is
	Reference string      `json:"reference"`
	TestShare float64     `json:"test_share"` // see PairedTest
	Whole     result.Size `json:"whole"`      // of the unpruned network
	Size      result.Size `json:"size"`       // at Ratio
	// WholeSpeed and Speed are zero where nothing was chosen.
	WholeSpeed result.Speed `json:"whole_speed"`
	Speed      result.Speed `json:"speed"`
	Validation Verdict      `json:"validation"`
	// Scores are the scores of the chosen network on the test clips of each fold and seed, shares
	// of 1; ReferenceScores those of its reference.
	ReferenceScores []float64 `json:"reference_scores"`
	Scores          []float64 `json:"scores"`
	Verdict         Verdict   `json:"test"`
	PHolm           *float64  `json:"p_holm"`          // of Verdict, corrected over the rows
	PTrivial        *float64  `json:"p_above_trivial"` // see Largest
	Without         bool      `json:"without"`         // without loss: p_holm and p_above_trivial are at most the level
	Baseline        *float64  `json:"baseline"`        // the score of always predicting the commonest class on the test clips
	Tried           []Attempt `json:"tried"`
	Note            string    `json:"note,omitempty"`
}

// An Attempt is one ratio that was tried on the way, on the validation clips.
type Attempt struct {
	Ratio float64 `json:"ratio"`
	Verdict
	Loses bool `json:"loses"` // it isn't shown that the loss is below the margin; without p it can't be
}

// Settle corrects the rows' p values for their number and says which are without loss.
func (v *Savings) Settle() {
	p := make([]*float64, len(v.Rows))
	for i, r := range v.Rows {
		p[i] = r.Verdict.P
	}
	for i, corrected := range holmOf(p) {
		if r := &v.Rows[i]; corrected != nil {
			r.PHolm, r.Without = corrected, withoutLoss(*corrected, r.PTrivial, v.Level)
		}
	}
}

// Judge judges a network against its reference by the results of both: on the validation
// clips, by which ratios are chosen, or on the test clips. It returns the scores that it
// compared, of each fold and seed.
func (j Judgement) Judge(metric string, onValidationClips bool, reference, other []result.Result) (v Verdict, x, y []float64, err error) {
	value, share := onTest(metric), testShare(other, nil)
	if onValidationClips {
		value, share = onValidation(metric), validationShare(other, nil)
	}
	x, y, undefined := pairs(reference, other, value)
	v, err = j.NotInferior(share, x, y)
	if err != nil && undefined > 0 {
		err = fmt.Errorf("%w (%d folds lack a class and have no %s)", err, undefined, result.MetricTitle(metric))
	}
	return v, x, y, err
}

// TestShare is the number of test clips over that of all others in the folds of results;
// see PairedTest.
func TestShare(results []result.Result) float64 { return testShare(results, nil) }

// MeanSize is the mean over folds, which can differ in width.
func MeanSize(results []result.Result) result.Size { return meanSize(results) }

// BaselineOf is the score of always predicting the commonest class of all folds' test clips;
// nil where results have no confusions.
func BaselineOf(results []result.Result, metric string) *float64 {
	b, ok := baselineOf(group{results: results})
	if !ok {
		return nil
	}
	return number(b.By(metric))
}

// Check says what is wrong with savings.
func (v *Savings) Check() error {
	for _, r := range v.Rows {
		if len(r.Scores) != len(r.ReferenceScores) {
			return fmt.Errorf("savings of %s by %s: %d folds of the pruned network and %d of its reference", r.Model, r.Method, len(r.Scores), len(r.ReferenceScores))
		}
	}
	return nil
}

// Saved returns the shares of parameters and MACs that are gone, of masked networks
// those that are zero.
func (r *Saving) Saved() (parameters, macs float64) {
	share := func(left, whole int64) float64 {
		if whole == 0 {
			return 0
		}
		return 1 - float64(left)/float64(whole)
	}
	return share(r.Size.EffectiveParameters(), r.Whole.Parameters), share(r.Size.EffectiveMACs(), r.Whole.MACs)
}

// Write writes savings in one of [Formats]; CSV has a line for each row.
func (v *Savings) Write(w io.Writer, format string) error {
	if err := CheckFormat(format); err != nil {
		return err
	}
	if err := v.Check(); err != nil {
		return err
	}
	if format == FormatText {
		for _, l := range v.Leaks {
			fmt.Fprintf(w, "LEAK: %s\n", l)
		}
	}
	return writeAnalysis(w, format, v, len(v.Rows))
}

func (v *Savings) csv(w io.Writer) error {
	lines := [][]string{{"model", "method", "stage", "ratio", "parameters", "macs", "whole_parameters", "whole_macs", "parameters_saved", "macs_saved",
		"masked", "file_bytes", "whole_file_bytes", "latency_ms_batch1", "whole_latency_ms_batch1", "latency_ms_batch64", "whole_latency_ms_batch64",
		"clips_per_second_batch64", "whole_clips_per_second_batch64", "folds", "metric", "score", "reference_score", "reference", "baseline", "validation_loss", "loss", "loss_bound",
		"p", "p_holm", "p_above_trivial", "without_loss", "test", "level", "margin", "note", "leak"}}
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	for _, r := range v.Rows {
		parameters, macs := r.Saved()
		lines = append(lines, []string{r.Model, r.Method, r.Stage, float(r.Ratio), whole(r.Size.EffectiveParameters()), whole(r.Size.EffectiveMACs()),
			whole(r.Whole.Parameters), whole(r.Whole.MACs), float(parameters), float(macs), strconv.FormatBool(r.Size.Masked()),
			whole(r.Size.FileBytes), whole(r.Whole.FileBytes), float(r.Speed.Latency1), float(r.WholeSpeed.Latency1),
			float(r.Speed.Latency64), float(r.WholeSpeed.Latency64), float(r.Speed.Throughput64), float(r.WholeSpeed.Throughput64),
			strconv.Itoa(len(r.Scores)), v.Metric, float(spreadOf(r.Scores).Mean), float(spreadOf(r.ReferenceScores).Mean), r.Reference, value(r.Baseline),
			value(r.Validation.Loss), value(r.Verdict.Loss), value(r.Verdict.Bound), value(r.Verdict.P), value(r.PHolm), value(r.PTrivial), strconv.FormatBool(r.Without),
			v.Test, float(v.Level), float(v.Margin), r.Note, v.Leak})
	}
	return csv.NewWriter(w).WriteAll(lines)
}

func (v *Savings) tables() []*table { return []*table{v.table(), v.tried()} }

func (v *Savings) table() *table {
	j := Judgement{Test: v.Test, Level: v.Level, Margin: v.Margin}
	t := &table{caption: fmt.Sprintf("The largest saving without loss of %s.", result.MetricTitle(v.Metric)), words: 3,
		header: []string{"network", "method", "recovery", "ratio", "parameters", "MACs"}}
	masked := slices.ContainsFunc(v.Rows, func(r Saving) bool { return r.Size.Masked() })
	if masked {
		t.header = append(t.header, "nonzero parameters", "nonzero MACs")
	}
	t.header = append(t.header, "file", "1 clip ms", "64 clips ms", "64 clips/s", result.MetricTitle(v.Metric)+" %", "loss, points", "bound", "p", "p, Holm", "without loss")
	at := slices.Index(t.header, result.MetricTitle(v.Metric)+" %")
	var folds []int
	for i, r := range v.Rows {
		n := len(r.Scores)
		for _, a := range r.Tried {
			n = max(n, a.Folds) // also where nothing was found, and so nothing tested
		}
		folds = append(folds, n)
		line := []string{r.Model, r.Method, r.Stage, strconv.FormatFloat(r.Ratio, 'g', 4, 64),
			count(r.Size.Parameters) + saved(r.Size.Parameters, r.Whole.Parameters), count(r.Size.MACs) + saved(r.Size.MACs, r.Whole.MACs)}
		if masked {
			line = append(line, nonzero(r.Size, r.Size.NonzeroParameters, r.Whole.Parameters), nonzero(r.Size, r.Size.NonzeroMACs, r.Whole.MACs))
		}
		scores, judged := "", "none found"
		if len(r.Scores) > 0 {
			scores, judged = change(100*spreadOf(r.ReferenceScores).Mean, 100*spreadOf(r.Scores).Mean, "%.1f"), verdict(r.Without, r.PTrivial, v.Level)
		}
		line = append(line, fileSize(r.Whole.FileBytes)+" → "+fileSize(r.Size.FileBytes),
			change(r.WholeSpeed.Latency1, r.Speed.Latency1, "%.2f"), change(r.WholeSpeed.Latency64, r.Speed.Latency64, "%.2f"),
			change(r.WholeSpeed.Throughput64, r.Speed.Throughput64, "%.0f"), scores,
			pointsText(r.Verdict.Loss, nil, nil), pointsText(r.Verdict.Bound, nil, nil), pText(r.Verdict.P), pText(r.PHolm), judged)
		t.add(line...)
		t.rows[len(t.rows)-1].apart = i > 0 && v.Rows[i-1].Model != r.Model
		if r.Baseline != nil && (i+1 == len(v.Rows) || v.Rows[i+1].Model != r.Model) {
			line := make([]string, len(t.header))
			line[0], line[2], line[at] = r.Model, trivialName, percent(r.Baseline)
			t.add(line...)
		}
	}
	v.footnotes(t, j, folds)
	return t
}

// change writes a number before and after; it is blank where none was measured.
func change(before, after float64, format string) string {
	if before == 0 && after == 0 {
		return ""
	}
	return fmt.Sprintf(format+" → "+format, before, after)
}

func (v *Savings) footnotes(t *table, j Judgement, folds []int) {
	t.note(fmt.Sprintf("Without loss: %s below the reference's by less than %.3g points, shown by non-inferiority (%v, paired over %s, one-sided, level %g). The ratio is the largest that shows it on the validation clips; it was then tested once on the test clips, of which the scores, loss, bound and p are. Holm's correction is over the %d rows that were tested. Bound is the upper end of the one-sided %s interval of the loss.",
		result.MetricTitle(v.Metric), 100*v.Margin, PairedTest{Name: v.Test}, foldsText(folds), v.Level, v.tested(), j.confidence()))
	t.note("A fold's validation clips can be another fold's test clips: the choice saw them there. A nested split keeps them apart. " + trivialMeans)
	references := map[string]bool{}
	for _, r := range v.Rows {
		if r.Stage == result.FineTuned {
			references[r.Reference] = true
		}
		if r.Note != "" {
			t.note(strings.Join([]string{r.Model, r.Method, r.Stage}, " ") + ": " + r.Note)
		}
	}
	if slices.ContainsFunc(t.rows, func(r tableRow) bool { return r.cells[len(r.cells)-1].text == nothingToLose }) {
		t.note(nothingMeans)
	}
	if references[result.TrainedOn] {
		t.note("The reference of a fine-tuned network is the unpruned one that was trained on for as long as fine-tuning lasts; of the others it is the unpruned one.")
	}
	t.note(v.Leak)
}

func (v *Savings) tested() int {
	n := 0
	for _, r := range v.Rows {
		if r.PHolm != nil {
			n++
		}
	}
	return n
}

// tried is the table of all ratios that the search looked at.
func (v *Savings) tried() *table {
	t := &table{caption: "Ratios that were tried, on the validation clips.", words: 3, header: []string{"network", "method", "recovery", "ratio", "loss, points", "bound", "p", "below the margin"}}
	for _, r := range v.Rows {
		for i, a := range r.Tried {
			below := "shown"
			if a.Loses {
				below = "not shown"
			}
			t.add(r.Model, r.Method, r.Stage, strconv.FormatFloat(a.Ratio, 'g', 4, 64), pointsText(a.Loss, nil, nil), pointsText(a.Bound, nil, nil), pText(a.P), below)
			t.rows[len(t.rows)-1].apart = i == 0
		}
	}
	t.note(v.Leak)
	return t
}

// errOldSavings is of a savings.json that an earlier version wrote.
var errOldSavings = errors.New("it is of an earlier version, which took a loss that is not significant for none: look for the savings again")
