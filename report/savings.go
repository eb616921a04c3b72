package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Savings are the largest ratios at which networks lose no accuracy, as far as a paired
// test over folds can tell.
type Savings struct {
	Schema    int     `json:"schema"`
	Test      string  `json:"test"`                 // see PairedTest
	TestShare float64 `json:"test_share,omitempty"` // likewise
	Level     float64 `json:"level"`
	// Margin is the loss (a share of 1) that counts as none; with 0 a network loses where
	// the test shows a loss, else where it fails to show that the loss is below Margin.
	Margin   float64   `json:"margin"`
	Settings []Setting `json:"settings"`
	Leak     string    `json:"leak,omitempty"` // see Study
	Rows     []Saving  `json:"rows"`
}

// A Saving is what one method saves of one model under one recovery.
type Saving struct {
	Model         string    `json:"model"`
	Method        string    `json:"method"`
	Stage         string    `json:"stage"` // which recovery
	Ratio         float64   `json:"ratio"` // the largest without loss; 0 where each loses
	Whole         Size      `json:"whole"` // of the unpruned network
	Size          Size      `json:"size"`  // at Ratio
	WholeSpeed    Speed     `json:"whole_speed"`
	Speed         Speed     `json:"speed"`
	WholeAccuracy []float64 `json:"whole_accuracy"` // on each fold, a share of 1
	Accuracy      []float64 `json:"accuracy"`       // on the same folds
	P             float64   `json:"p"`
	Tried         []Attempt `json:"tried"`
	Note          string    `json:"note,omitempty"`
}

// An Attempt is one ratio that was tried on the way.
type Attempt struct {
	Ratio    float64 `json:"ratio"`
	MeanLoss float64 `json:"mean_loss"` // a share of 1
	P        float64 `json:"p"`
	Loses    bool    `json:"loses"`
}

// Check says what is wrong with savings.
func (v *Savings) Check() error {
	for _, r := range v.Rows {
		if len(r.Accuracy) != len(r.WholeAccuracy) {
			return fmt.Errorf("savings of %s by %s: %d folds of the pruned network and %d of the whole one", r.Model, r.Method, len(r.Accuracy), len(r.WholeAccuracy))
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
	return share(r.Size.effectiveParameters(), r.Whole.Parameters), share(r.Size.effectiveMACs(), r.Whole.MACs)
}

// Write writes savings in one of [Formats]; CSV has a line for each row.
func (v *Savings) Write(w io.Writer, format string) error {
	if err := CheckFormat(format); err != nil {
		return err
	}
	if err := v.Check(); err != nil {
		return err
	}
	return writeAnalysis(w, format, v, len(v.Rows))
}

func (v *Savings) csv(w io.Writer) error {
	lines := [][]string{{"model", "method", "stage", "ratio", "parameters", "macs", "whole_parameters", "whole_macs", "parameters_saved", "macs_saved",
		"masked", "file_bytes", "whole_file_bytes", "latency_ms_batch1", "whole_latency_ms_batch1", "latency_ms_batch64", "whole_latency_ms_batch64",
		"clips_per_second_batch64", "whole_clips_per_second_batch64", "folds", "accuracy", "whole_accuracy", "loss", "p", "test", "level", "margin", "note", "leak"}}
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	for _, r := range v.Rows {
		parameters, macs := r.Saved()
		lines = append(lines, []string{r.Model, r.Method, r.Stage, float(r.Ratio), whole(r.Size.effectiveParameters()), whole(r.Size.effectiveMACs()),
			whole(r.Whole.Parameters), whole(r.Whole.MACs), float(parameters), float(macs), strconv.FormatBool(r.Size.masked()),
			whole(r.Size.FileBytes), whole(r.Whole.FileBytes), float(r.Speed.Latency1), float(r.WholeSpeed.Latency1),
			float(r.Speed.Latency64), float(r.WholeSpeed.Latency64), float(r.Speed.Throughput64), float(r.WholeSpeed.Throughput64),
			strconv.Itoa(len(r.Accuracy)), float(spreadOf(r.Accuracy).Mean), float(spreadOf(r.WholeAccuracy).Mean),
			float(lossOf(r.WholeAccuracy, r.Accuracy).Mean), float(r.P), v.Test, float(v.Level), float(v.Margin), r.Note, v.Leak})
	}
	return csv.NewWriter(w).WriteAll(lines)
}

func (v *Savings) table() *table {
	t := &table{caption: "The largest saving without loss of accuracy.", words: 3,
		header: []string{"network", "method", "recovery", "ratio", "parameters", "MACs"}}
	masked := slices.ContainsFunc(v.Rows, func(r Saving) bool { return r.Size.masked() })
	if masked {
		t.header = append(t.header, "nonzero parameters", "nonzero MACs")
	}
	t.header = append(t.header, "file", "1 clip ms", "64 clips ms", "64 clips/s", "accuracy", "p")
	if v.Margin == 0 {
		t.header = append(t.header, "shows from")
	}
	var folds []int
	for i, r := range v.Rows {
		folds = append(folds, len(r.Accuracy))
		line := []string{r.Model, r.Method, r.Stage, strconv.FormatFloat(r.Ratio, 'g', 4, 64),
			count(r.Size.Parameters) + saved(r.Size.Parameters, r.Whole.Parameters), count(r.Size.MACs) + saved(r.Size.MACs, r.Whole.MACs)}
		if masked {
			line = append(line, nonzero(r.Size, r.Size.NonzeroParameters, r.Whole.Parameters), nonzero(r.Size, r.Size.NonzeroMACs, r.Whole.MACs))
		}
		line = append(line, fileSize(r.Whole.FileBytes)+" → "+fileSize(r.Size.FileBytes),
			change(r.WholeSpeed.Latency1, r.Speed.Latency1, "%.2f"), change(r.WholeSpeed.Latency64, r.Speed.Latency64, "%.2f"),
			change(r.WholeSpeed.Throughput64, r.Speed.Throughput64, "%.0f"),
			// From 0, so that no loss is not "-0.0".
			fmt.Sprintf("%+.1f", 0-100*lossOf(r.WholeAccuracy, r.Accuracy).Mean), fmt.Sprintf("%.3g", r.P))
		if v.Margin == 0 {
			line = append(line, v.detectable(r))
		}
		t.add(line...)
		t.rows[i].apart = i > 0 && v.Rows[i-1].Model != r.Model
	}
	v.footnotes(t, folds)
	return t
}

// change writes a speed before and after; it is blank where none was measured.
func change(before, after float64, format string) string {
	if before == 0 && after == 0 {
		return ""
	}
	return fmt.Sprintf(format+" → "+format, before, after)
}

func (v *Savings) test() PairedTest { return PairedTest{Name: v.Test, TestShare: v.TestShare} }

// detectable writes the smallest loss in points that the test would have shown.
func (v *Savings) detectable(r Saving) string {
	loss, err := v.test().Detectable(r.WholeAccuracy, r.Accuracy, v.Level)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%.1f", 100*loss)
}

func (v *Savings) footnotes(t *table, folds []int) {
	rule := "a network loses where it is significantly worse than the unpruned one"
	caution := "Shows from: with folds spread as these are, a mean loss of fewer points would not have been significant. No significant loss is not the same as no loss."
	if v.Margin > 0 {
		rule = fmt.Sprintf("a network loses unless its loss is significantly below %.3g points", 100*v.Margin)
		caution = fmt.Sprintf("p is of the alternative that the loss is below %.3g points: what passes may lose up to that.", 100*v.Margin)
	}
	t.note(fmt.Sprintf("The largest ratio without loss, over %s: %s (%v, paired over folds, one-sided, level %g; p values are not corrected for the ratios tried). Accuracy is the mean difference to the unpruned network in points.",
		foldsText(folds), rule, v.test(), v.Level))
	t.note(caution)
	for _, r := range v.Rows {
		if r.Note != "" {
			t.note(strings.Join([]string{r.Model, r.Method, r.Stage}, " ") + ": " + r.Note)
		}
	}
	t.note(v.Leak)
}

// tried is the table of all ratios that the search looked at.
func (v *Savings) tried() *table {
	t := &table{caption: "Ratios that were tried.", words: 3, header: []string{"network", "method", "recovery", "ratio", "mean loss, points", "p", "loses"}}
	for _, r := range v.Rows {
		for i, a := range r.Tried {
			loses := "no"
			if a.Loses {
				loses = "yes"
			}
			p := ""
			if !math.IsNaN(a.P) {
				p = fmt.Sprintf("%.3g", a.P)
			}
			t.add(r.Model, r.Method, r.Stage, strconv.FormatFloat(a.Ratio, 'g', 4, 64), fmt.Sprintf("%.1f", 100*a.MeanLoss), p, loses)
			t.rows[len(t.rows)-1].apart = i == 0
		}
	}
	t.note(v.Leak)
	return t
}
