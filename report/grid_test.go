package report

import (
	"math"
	"math/rand/v2"

	"github.com/eegprune/eegprune/result"
)

// scored is the score of 100 clips of two classes, 50 of each or nearly so.
func scored(right, fold int) result.Score {
	of := []int{50 + fold%2, 50 - fold%2}
	first := min(of[0], (right+1)/2)
	second := min(of[1], right-first)
	confusion := [][]int{{first, of[0] - first}, {of[1] - second, second}}
	p := result.Pool(confusion)
	return result.Score{Clips: 100, Accuracy: p.Accuracy, Balanced: p.Balanced, MacroF1: p.MacroF1, Majority: p.Majority, Confusion: confusion, Loss: 1 - p.Accuracy}
}

// grid makes up a study of several networks, methods and ratios over 6 folds. Accuracy
// falls with the ratio and comes back by recovery; the last method masks weights. Some
// names want escaping.
func grid() *result.Study {
	rng := rand.New(rand.NewPCG(1, 2))
	s := &result.Study{Schema: result.Schema, Settings: []result.Setting{{Name: "data", Value: "<made & up>"}, {Name: "split", Value: "KFold, 6 folds"}, {Name: "versions", Value: "eegprune 0"}},
		Notes: []string{"made up <script>alert(1)</script>"}, Leak: "LEAKS: 100 % of A & B_C <i>", Metric: result.MetricAccuracy}
	add := func(v result.Variant, mean, noise float64, left float64) {
		for fold := 1; fold <= 6; fold++ {
			right := min(100, max(0, int(math.Round(100*(mean+noise*rng.NormFloat64())))))
			r := result.Result{Schema: result.Schema, Cell: result.Cell{Variant: v, Fold: fold}, FoldSeed: uint64(fold), Clips: result.FoldClips{Fit: 400, Validation: 100, Test: 100},
				Test: scored(right, fold), Validation: scored(min(100, right+1), fold), Best: 3,
				Size: result.Size{Parameters: int64(1e6 * left), MACs: int64(5e7 * left * left), FileBytes: int64(4e6 * left)}}
			for i, name := range []string{"s01", "s<2>", "s03"} {
				// As much as can be of the fold's clips, which are all of one subject at each end.
				r.Subjects = append(r.Subjects, result.SubjectScore{Subject: name, Clips: 30, Confusion: scored(max(0, min(100, right-5*i)), fold).Confusion})
			}
			if v.Stage != result.Pruned {
				for e := range 8 {
					gain := 1 - math.Exp(-float64(e+1)/3)
					r.Epochs = append(r.Epochs, result.Epoch{LR: 0.01, Loss: 0.7 - 0.5*gain*mean, Accuracy: 0.5 + gain*(mean-0.5), ValLoss: 0.7 - 0.4*gain*mean, ValAcc: 0.5 + gain*(mean-0.5)})
				}
			}
			if v.Method == "uwmp" {
				r.Size = result.Size{Parameters: 1e6, MACs: 5e7, FileBytes: 4e6, NonzeroParameters: int64(1e6 * left), NonzeroMACs: int64(5e7 * left)}
			} else if v.Ratio > 0 {
				r.Widths = []result.Width{{Group: "conv1", Before: 100, After: int(100 * left)}}
			}
			if v.Method == "nsfp" {
				r.Widths = append(r.Widths, result.Width{Group: "conv2", Before: 100, After: 100 - fold})
			}
			s.Results = append(s.Results, r)
		}
		s.Speeds = append(s.Speeds, result.VariantSpeed{Variant: v, Speed: result.Speed{Latency1: 2 * left, Latency64: 90 * left, Throughput64: 700 / left}})
	}
	for _, model := range []string{"tsception", "fb_ccnn"} {
		add(result.Variant{Model: model, Stage: result.Unpruned}, 0.9, 0.01, 1)
		add(result.Variant{Model: model, Stage: result.TrainedOn}, 0.905, 0.01, 1)
		add(result.Variant{Model: model, Stage: result.Sparse, Method: "nsfp"}, 0.89, 0.01, 1)
		for m, method := range []string{"uwmp", "lfp", "nsfp"} {
			for _, ratio := range []float64{0.2, 0.4, 0.6, 0.8} {
				left := 1 - ratio
				add(result.Variant{Model: model, Stage: result.Scratch, Method: method, Ratio: ratio}, 0.89-0.05*math.Pow(ratio, 3), 0.012, left)
				add(result.Variant{Model: model, Stage: result.FineTuned, Method: method, Ratio: ratio}, 0.9-0.01*float64(m)-0.2*math.Pow(ratio, 5), 0.01, left)
				add(result.Variant{Model: model, Stage: result.Pruned, Method: method, Ratio: ratio}, 0.9-0.4*ratio, 0.05, left)
			}
		}
	}
	return s
}

// only keeps the results that are wanted.
func only(s *result.Study, keep func(result.Result) bool) *result.Study {
	out := *s
	out.Results = nil
	for _, r := range s.Results {
		if keep(r) {
			out.Results = append(out.Results, r)
		}
	}
	return &out
}

func madeUpSensitivity() *Sensitivity {
	v := &Sensitivity{Schema: result.Schema, Model: "fbccnn", Method: "lfp", On: "validation", Folds: []int{1, 2}, Baseline: []float64{0.9, 0.92}, Majority: []float64{0.5, 0.52},
		Settings: []result.Setting{{Name: "data", Value: "made up"}}, Leak: "LEAKS"}
	for i, layer := range []string{"conv1", "conv2", "conv3", "conv4", "conv5", "conv6", "conv7", "lin<1>", "lin2"} {
		for k := 1; k <= 9; k++ {
			ratio := float64(k) / 10
			lost := 0.4 * math.Pow(ratio, 1+float64(i)/2)
			v.Points = append(v.Points, SensitivityPoint{Layer: layer, Channels: 10 * (i + 1), Left: (10 - k) * (i + 1), Ratio: ratio,
				Scores: []float64{0.9 - lost, 0.92 - lost/2}, MACsSaved: ratio / 10, ParametersSaved: ratio / 20})
		}
	}
	return v
}

func madeUpSavings() *Savings {
	whole := result.Size{Parameters: 1000000, MACs: 50000000, FileBytes: 4000000}
	unpruned := []float64{0.90, 0.91, 0.89, 0.92, 0.90, 0.88}
	verdict := func(loss, bound, p float64) Verdict { return Verdict{6, &loss, &bound, &p} }
	baseline, above := 0.51, 1e-6
	tried := []Attempt{{0.5, verdict(0.005, 0.012, 0.0001), false}, {0.75, verdict(0.05, 0.08, 0.99), true}}
	v := &Savings{Schema: result.Schema, Metric: result.MetricAccuracy, Test: CorrectedT, Level: 0.05, Margin: 0.02, Leak: "LEAKS", Settings: []result.Setting{{Name: "data", Value: "made up"}}, Rows: []Saving{
		{Model: "fbccnn", Method: "lfp", Stage: result.FineTuned, Ratio: 0.5, Reference: result.TrainedOn, TestShare: 0.2, Whole: whole, Size: result.Size{Parameters: 400000, MACs: 20000000, FileBytes: 1600000},
			WholeSpeed: result.Speed{Latency1: 2, Latency64: 90, Throughput64: 700}, Speed: result.Speed{Latency1: 1, Latency64: 40, Throughput64: 1600}, ReferenceScores: unpruned, Scores: []float64{0.89, 0.90, 0.90, 0.91, 0.89, 0.87},
			Validation: tried[0].Verdict, Verdict: verdict(0.0067, 0.0158, 0.02), PTrivial: &above, Tried: tried, Baseline: &baseline},
		{Model: "fbccnn", Method: "uwmp", Stage: result.Scratch, Ratio: 0.7, Reference: result.Unpruned, TestShare: 0.2, Whole: whole,
			Size:            result.Size{Parameters: 1000000, MACs: 50000000, FileBytes: 4000000, NonzeroParameters: 300000, NonzeroMACs: 14000000},
			ReferenceScores: unpruned, Scores: []float64{0.90, 0.91, 0.88, 0.92, 0.85, 0.88}, Validation: tried[0].Verdict, Verdict: verdict(0.01, 0.031, 0.2),
			PTrivial: &above, Tried: tried, Baseline: &baseline, Note: "the search ended at its finest step"},
	}}
	v.Settle()
	return v
}
