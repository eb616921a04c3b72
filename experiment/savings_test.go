package experiment

import (
	"testing"

	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// Seeds that test on the same folds are no observations of their own, neither of the search for
// a ratio nor of the last test.
func TestSavingsCountSharedFoldsOnce(t *testing.T) {
	for name, c := range map[string]struct {
		shuffle bool
		want    int
	}{
		"unshuffled": {false, 4},
		"drawn anew": {true, 8},
	} {
		t.Run(name, func(t *testing.T) {
			var g Grid
			defer func() { g.Close() }()
			for seed := uint64(1); seed <= 2; seed++ {
				c := Config{Model: "eegnet", Seed: seed, Seeds: []uint64{1, 2}, Metric: result.MetricAccuracy, Train: train.Paper("eegnet"), FineTune: train.Paper("eegnet"),
					Prune: []Pruning{{"lfp", 0.3}}, Recover: []string{result.FineTuned}, Split: Split{Name: "KFoldByTrial", Folds: 4, Val: 0.25, Shuffle: c.shuffle, Seed: seed}}
				c.Train.Epochs, c.FineTune.Epochs = 1, 1
				s, err := open(c, named{Set: signals(1, 8, 4, 128)}, OpenOptions{}, g...)
				if err != nil {
					t.Fatal(err)
				}
				g = append(g, s)
				if err := s.Divide(); err != nil {
					t.Fatal(err)
				}
			}
			o := SavingsOptions{Judgement: report.Usual(), Most: 0.3, Step: 0.3}
			o.Margin = 0.99 // that any network keeps
			savings, _, err := g.Savings(t.Context(), RunOptions{Dir: t.TempDir(), Jobs: 1}, o)
			if err != nil {
				t.Fatal(err)
			}
			row := savings.Rows[0]
			if row.Ratio != 0.3 || row.Validation.Folds != c.want || row.Verdict.Folds != c.want || len(row.Scores) != c.want {
				t.Errorf("ratio %g of %d folds by validation, %d by test with %d scores; want 0.3 of %d: %+v", row.Ratio, row.Validation.Folds, row.Verdict.Folds, len(row.Scores), c.want, row)
			}
		})
	}
}
