package report

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/eegprune/eegprune/result"
)

// A Sensitivity is how much of the study's metric a network loses when one layer is pruned and all
// others are whole. Nothing is trained after pruning.
type Sensitivity struct {
	Schema int    `json:"schema"`
	Model  string `json:"model"`
	Method string `json:"method"`
	// Metric is the metric of all scores, see [Study]; "" in files that lack it: accuracy.
	Metric   string    `json:"metric,omitempty"`
	On       string    `json:"on"`       // the clips: "validation" or "test"
	Folds    []int     `json:"folds"`    // from 1
	Baseline []float64 `json:"baseline"` // score of the unpruned network, a share of 1, on each of Folds
	// Majority is the score of always naming the commonest class, on each of Folds; empty
	// in files of schema 2.
	Majority []float64 `json:"majority,omitempty"`
	// Lacking lists the Folds whose clips lack a class where Metric is a mean over classes:
	// their scores are means over the classes that are there.
	Lacking  []int              `json:"folds_lacking_a_class,omitempty"`
	Points   []SensitivityPoint `json:"points"`
	Settings []result.Setting   `json:"settings"`
	Leak     string             `json:"leak,omitempty"` // see Study
}

// A SensitivityPoint is one layer at one ratio.
type SensitivityPoint struct {
	Layer           string    `json:"layer"`
	Channels        int       `json:"channels"` // of the layer before pruning
	Left            int       `json:"left"`     // and after
	Ratio           float64   `json:"ratio"`
	Scores          []float64 `json:"scores"`           // by Metric, on each fold
	MACsSaved       float64   `json:"macs_saved"`       // share of the whole network's
	ParametersSaved float64   `json:"parameters_saved"` // likewise
}

// UnmarshalJSON also reads files of earlier versions, which called scores accuracy.
func (p *SensitivityPoint) UnmarshalJSON(b []byte) error {
	type plain SensitivityPoint
	old := struct {
		*plain
		Accuracy []float64 `json:"accuracy"`
	}{plain: (*plain)(p)}
	if err := json.Unmarshal(b, &old); err != nil {
		return err
	}
	if p.Scores == nil {
		p.Scores = old.Accuracy
	}
	return nil
}

// Check says what is wrong with a sensitivity.
func (v *Sensitivity) Check() error {
	if len(v.Baseline) != len(v.Folds) {
		return fmt.Errorf("sensitivity of %d folds with %d baselines", len(v.Folds), len(v.Baseline))
	}
	if n := len(v.Majority); n > 0 && n != len(v.Folds) {
		return fmt.Errorf("sensitivity of %d folds with %d majorities", len(v.Folds), n)
	}
	for _, p := range v.Points {
		if len(p.Scores) != len(v.Folds) {
			return fmt.Errorf("sensitivity of %d folds with %d scores of layer %s at ratio %g", len(v.Folds), len(p.Scores), p.Layer, p.Ratio)
		}
	}
	return nil
}

// loss is the score that a point loses, over the folds.
func (v *Sensitivity) loss(p SensitivityPoint) Spread { return lossOf(v.Baseline, p.Scores) }

// lossOf is the loss of other against whole, over folds.
func lossOf(whole, other []float64) Spread {
	d := make([]float64, len(whole))
	for i := range d {
		d[i] = whole[i] - other[i]
	}
	return spreadOf(d)
}

// layers returns the layers in order, each with its points.
func (v *Sensitivity) layers() (names []string, points map[string][]SensitivityPoint) {
	points = map[string][]SensitivityPoint{}
	for _, p := range v.Points {
		if points[p.Layer] == nil {
			names = append(names, p.Layer)
		}
		points[p.Layer] = append(points[p.Layer], p)
	}
	return names, points
}

// Write writes a sensitivity in one of [Formats]; CSV has a line for each layer, ratio
// and fold.
func (v *Sensitivity) Write(w io.Writer, format string) error {
	if err := CheckFormat(format); err != nil {
		return err
	}
	if err := v.Check(); err != nil {
		return err
	}
	return writeAnalysis(w, format, v, len(v.Points))
}

func (v *Sensitivity) csv(w io.Writer) error {
	lines := [][]string{{"model", "method", "on", "layer", "channels", "left", "ratio", "fold", "baseline", "score", "loss",
		"macs_saved", "parameters_saved", "leak", "metric"}}
	for _, p := range v.Points {
		for i, fold := range v.Folds {
			lines = append(lines, []string{v.Model, v.Method, v.On, p.Layer, strconv.Itoa(p.Channels), strconv.Itoa(p.Left), float(p.Ratio),
				strconv.Itoa(fold), float(v.Baseline[i]), float(p.Scores[i]), float(v.Baseline[i] - p.Scores[i]),
				float(p.MACsSaved), float(p.ParametersSaved), v.Leak, cmp.Or(v.Metric, result.MetricAccuracy)})
		}
	}
	return csv.NewWriter(w).WriteAll(lines)
}

func (v *Sensitivity) tables() []*table { return []*table{v.table()} }

func (v *Sensitivity) table() *table {
	var ratios []float64
	for _, p := range v.Points {
		ratios = append(ratios, p.Ratio)
	}
	slices.Sort(ratios)
	ratios = slices.Compact(ratios)
	t := &table{caption: fmt.Sprintf("%s, one layer pruned by %s: loss of %s on the %s clips in points, by ratio.", v.Model, v.Method, result.MetricTitle(v.Metric), v.On),
		header: []string{"layer", "channels"}, words: 1}
	for _, r := range ratios {
		t.header = append(t.header, strconv.FormatFloat(r, 'g', 4, 64))
	}
	names, points := v.layers()
	for _, name := range names {
		line := make([]string, len(t.header))
		line[0], line[1] = name, strconv.Itoa(points[name][0].Channels)
		for _, p := range points[name] {
			line[2+slices.Index(ratios, p.Ratio)] = v.loss(p).percent()
		}
		t.add(line...)
	}
	if len(v.Majority) > 0 {
		line := make([]string, len(t.header))
		line[0] = trivialName
		for i := range ratios {
			line[2+i] = lossOf(v.Baseline, v.Majority).percent()
		}
		t.add(line...)
		t.rows[len(t.rows)-1].apart = true
		t.note(trivialMeans)
	}
	t.note(fmt.Sprintf("Loss of %s on the %s clips in percentage points, mean ± standard deviation over %s; the unpruned %s reaches %s %%. Nothing was trained after pruning.",
		result.MetricTitle(v.Metric), v.On, foldsText([]int{len(v.Folds)}), v.Model, spreadOf(v.Baseline).percent()))
	if n := len(v.Lacking); n > 0 {
		t.note(fmt.Sprintf("On %d of %d folds the clips lack a class: their %s is the mean over the classes that are there.", n, len(v.Folds), result.MetricTitle(v.Metric)))
	}
	t.note(v.Leak)
	return t
}
