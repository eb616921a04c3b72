package result

import (
	"math"
	"slices"
)

// The metrics that a network is judged by: its best epoch, the tests and the figures go by it.
const (
	MetricAccuracy = "accuracy"
	MetricBalanced = "balanced" // balanced accuracy
	MetricF1       = "f1"       // macro-F1
)

// Metrics returns the names of all.
func Metrics() []string { return []string{MetricAccuracy, MetricBalanced, MetricF1} }

// MetricTitle is a metric's name in a sentence.
func MetricTitle(metric string) string {
	switch metric {
	case MetricBalanced:
		return "balanced accuracy"
	case MetricF1:
		return "macro-F1"
	}
	return "accuracy"
}

// A Score is how a network does on some clips. All but Clips, Loss and Confusion are
// shares of 1.
type Score struct {
	Clips     int     `json:"clips"`
	Loss      float64 `json:"loss"`
	Accuracy  float64 `json:"accuracy"`
	MacroF1   float64 `json:"macro_f1"`
	Balanced  float64 `json:"balanced_accuracy"`
	Majority  float64 `json:"majority"`  // accuracy of always naming the commonest class
	Confusion [][]int `json:"confusion"` // [true class][named class], clips
}

// By returns the score by a metric; by accuracy where none is named.
func (s Score) By(metric string) float64 {
	switch metric {
	case MetricBalanced:
		return s.Balanced
	case MetricF1:
		return s.MacroF1
	}
	return s.Accuracy
}

// A SubjectScore is how a network does on one subject's clips of a fold's test clips.
type SubjectScore struct {
	Subject   string  `json:"subject"`
	Clips     int     `json:"clips"`
	Confusion [][]int `json:"confusion"` // see Score
}

// A Pooled score is of the clips of all folds together, a share of 1 each: it exists where
// folds by themselves lack a class.
type Pooled struct {
	Clips    int     `json:"clips"`
	Accuracy float64 `json:"accuracy"`
	Balanced float64 `json:"balanced_accuracy"`
	MacroF1  float64 `json:"macro_f1"`
	Majority float64 `json:"majority"` // accuracy of always naming the commonest class
}

// By returns a pooled score by a metric.
func (p Pooled) By(metric string) float64 {
	return Score{Accuracy: p.Accuracy, Balanced: p.Balanced, MacroF1: p.MacroF1}.By(metric)
}

// Pool scores a confusion matrix. A class that no clip has counts for neither of the
// means over classes, unless it was named (scikit-learn's rule).
func Pool(confusion [][]int) Pooled {
	var p Pooled
	right, commonest, classes, named := 0, 0, 0.0, 0.0
	for i, row := range confusion {
		of, as := 0, 0
		for j := range row {
			of += row[j]
			as += confusion[j][i]
		}
		p.Clips += of
		right += row[i]
		commonest = max(commonest, of)
		if of > 0 {
			classes++
			p.Balanced += float64(row[i]) / float64(of)
		}
		if of+as > 0 {
			named++
			p.MacroF1 += 2 * float64(row[i]) / float64(of+as)
		}
	}
	clips := float64(p.Clips)
	p.Accuracy, p.Majority = float64(right)/clips, float64(commonest)/clips
	p.Balanced /= classes
	p.MacroF1 /= named
	return p
}

// TrivialConfusion is the confusion of always naming the commonest class.
func TrivialConfusion(confusion [][]int) [][]int {
	commonest, most := 0, -1
	clips := make([]int, len(confusion))
	for i, row := range confusion {
		for _, n := range row {
			clips[i] += n
		}
		if clips[i] > most {
			commonest, most = i, clips[i]
		}
	}
	all := make([][]int, len(confusion))
	for i := range all {
		all[i] = make([]int, len(confusion))
		all[i][commonest] = clips[i]
	}
	return all
}

// Sum adds confusions up; nil where there are none, no clips, or different classes.
func Sum(confusions [][][]int) [][]int {
	var sum [][]int
	clips := 0
	for _, c := range confusions {
		if len(c) == 0 || sum != nil && len(c) != len(sum) {
			return nil
		}
		if sum == nil {
			sum = make([][]int, len(c))
			for i := range sum {
				sum[i] = make([]int, len(c))
			}
		}
		for i, row := range c {
			if len(row) != len(c) {
				return nil
			}
			for j, n := range row {
				sum[i][j] += n
				clips += n
			}
		}
	}
	if clips == 0 {
		return nil
	}
	return sum
}

// Trivial returns the score by a metric of always predicting the commonest class on the clips of
// the score.
func (s Score) Trivial(metric string) float64 { return Pool(TrivialConfusion(s.Confusion)).By(metric) }

// LacksClass says whether a class has no clip and the metric is a mean over classes.
func (s Score) LacksClass(metric string) bool {
	if metric != MetricBalanced && metric != MetricF1 {
		return false
	}
	return slices.ContainsFunc(s.Confusion, func(row []int) bool {
		return !slices.ContainsFunc(row, func(n int) bool { return n > 0 })
	})
}

// Defined returns a score by a metric; NaN where it lacks a class that the metric needs.
func (s Score) Defined(metric string) float64 {
	if s.LacksClass(metric) {
		return math.NaN()
	}
	return s.By(metric)
}
