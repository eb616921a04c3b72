package experiment

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

func TestMain(m *testing.M) { os.Exit(reftest.Main(m)) }

// clips makes a set of one-number clips, n for each trial of each subject, the classes
// in turn by trial.
func clips(subjects, trials, n int) *data.Set {
	s := &data.Set{Shape: []int{1, 1, 1}, Classes: []string{"a", "b"}}
	for sub := range subjects {
		for trial := range trials {
			for i := range n {
				s.X = append(s.X, float32(i))
				s.Y = append(s.Y, int64(trial%2))
				s.Clips = append(s.Clips, data.Clip{Subject: fmt.Sprint(sub + 1), Trial: trial + 1, Start: i, End: i + 1})
			}
		}
	}
	return s
}

func TestSplitSettlesByTheData(t *testing.T) {
	for _, c := range []struct {
		subjects, trials int
		given, want      Split
	}{
		{12, 2, Split{}, Split{Name: "KFoldCrossSubject", Folds: 10}},
		{5, 2, Split{}, Split{Name: "KFoldCrossSubject", Folds: 5}},
		{1, 12, Split{}, Split{Name: "KFoldByTrial", Folds: 10}},
		{1, 6, Split{}, Split{Name: "KFoldByTrial", Folds: 6}},
		{5, 2, Split{Folds: 3}, Split{Name: "KFoldCrossSubject", Folds: 3}},
		{5, 2, Split{Name: "KFold"}, Split{Name: "KFold", Folds: 10}},
	} {
		if got := c.given.settle(clips(c.subjects, c.trials, 2)); got != c.want {
			t.Errorf("%d subjects, %d trials, %+v: %+v, want %+v", c.subjects, c.trials, c.given, got, c.want)
		}
	}
}

func TestFingerprintTellsSetsApart(t *testing.T) {
	base := clips(2, 2, 3)
	want, err := fingerprint(base)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := fingerprint(clips(2, 2, 3)); again != want {
		t.Error("the same set has two fingerprints")
	}
	for name, change := range map[string]func(*data.Set){
		"a value":   func(s *data.Set) { s.X[3]++ },
		"a label":   func(s *data.Set) { s.Y[0] = 1 },
		"a class":   func(s *data.Set) { s.Classes[1] = "c" },
		"a subject": func(s *data.Set) { s.Clips[0].Subject = "9" },
		"the rate":  func(s *data.Set) { s.Rate++ },
		"the shape": func(s *data.Set) { s.Shape = []int{1} },
	} {
		s := clips(2, 2, 3)
		change(s)
		if got, _ := fingerprint(s); got == want {
			t.Errorf("changing %s does not change the fingerprint", name)
		}
	}
}

func study(t *testing.T) *Study {
	t.Helper()
	c := Config{Model: "fbccnn", Seed: 3, Train: train.Paper("fbccnn"), FineTune: train.Paper("fbccnn"),
		Prune: []Pruning{{"lfp", 0.4}, {"nsfp", 0.4}}, Recover: []string{result.FineTuned, result.Scratch}, Split: Split{Folds: 2, Val: 0.2}}
	arch, err := models.Build("fbccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	return &Study{Config: c, Arch: arch, Folds: make([]Fold, 2), fingerprint: "data", device: torch.CPU}
}

func TestKeysShareWhatIsTheSameAndNothingElse(t *testing.T) {
	key := func(c result.Cell, change func(*Study)) string {
		s := study(t)
		change(s)
		k, err := s.key(c)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	same := func(*Study) {}
	all := func(result.Cell) bool { return true }
	stages := func(names ...string) func(result.Cell) bool {
		return func(c result.Cell) bool { return slices.Contains(names, c.Stage) }
	}
	none := stages()
	for name, c := range map[string]struct {
		change  func(*Study)
		changes func(result.Cell) bool // whose results are others
	}{
		"list of ratios": {func(s *Study) { s.Config.Prune = append(s.Config.Prune, Pruning{"lfp", 0.5}) }, none},
		"fine-tuning":    {func(s *Study) { s.Config.FineTune.LR = 1 }, stages(result.FineTuned, result.TrainedOn)},
		"distillation":   {func(s *Study) { s.Config.Distill.Weight = 0.5 }, stages(result.FineTuned)},
		"choice":         {func(s *Study) { s.Config.Options.RoundTo = 8 }, stages(result.Pruned, result.FineTuned, result.Scratch)},
		"sparsity":       {func(s *Study) { s.Config.Sparsity = 1 }, func(c result.Cell) bool { return c.Method == "nsfp" }},
		"training":       {func(s *Study) { s.Config.Train.LR = 1 }, all},
		"metric":         {func(s *Study) { s.Config.Metric = result.MetricF1 }, all},
		"class weights":  {func(s *Study) { s.Config.ClassWeights = true }, all},
		"repetitions":    {func(s *Study) { s.Config.Seeds = []uint64{3, 4} }, none},
		"seed":           {func(s *Study) { s.Config.Seed = 4 }, all},
		"split":          {func(s *Study) { s.Config.Split.Folds = 3 }, all},
		"data":           {func(s *Study) { s.fingerprint = "other" }, all},
		"recoveries":     {func(s *Study) { s.Config.Recover = nil }, none},
		"directory":      {func(s *Study) { s.Config.Data.Dir = "/elsewhere" }, none},
	} {
		for _, cell := range study(t).cells(1) {
			if got, want := key(cell, same) != key(cell, c.change), c.changes(cell); got != want {
				t.Errorf("another %s: result of %s is another: %v, want %v", name, Describe(cell), got, want)
			}
		}
	}
	keys := map[string]result.Cell{}
	for _, cell := range study(t).Cells(RunOptions{}) {
		k := key(cell, same)
		if other, twice := keys[k]; twice {
			t.Errorf("%s and %s have one key", Describe(cell), Describe(other))
		}
		keys[k] = cell
	}
}

func TestCellsComeAfterWhatTheyStartFromAndOnlyOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &Study{Config: Config{Model: "fbccnn"}, Folds: make([]Fold, rapid.IntRange(1, 12).Draw(rt, "folds"))}
		if inner := rapid.IntRange(0, 3).Draw(rt, "inner folds"); inner > 1 {
			s.Config.Split.Inner, s.Folds = inner, make([]Fold, inner*len(s.Folds))
		}
		s.Config.Seeds = rapid.SliceOfNDistinct(rapid.Uint64(), 1, 3, rapid.ID).Draw(rt, "seeds")
		methods := rapid.SliceOfNDistinct(rapid.SampledFrom(prune.MethodNames()), 0, 4, rapid.ID).Draw(rt, "methods")
		ratios := rapid.SliceOfNDistinct(rapid.Float64Range(0, 0.99), 1, 4, rapid.ID).Draw(rt, "ratios")
		for _, m := range methods {
			for _, r := range ratios {
				s.Config.Prune = append(s.Config.Prune, Pruning{m, r})
			}
		}
		if rapid.Bool().Draw(rt, "distill") {
			s.Config.Distill = Distill{0.5, 4}
		}
		s.Config.Recover = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{result.FineTuned, result.Scratch, result.ScratchB, result.Uniform}), 0, 4, rapid.ID).Draw(rt, "recover")
		seen := map[result.Cell]bool{}
		names := map[string]bool{}
		var cells []result.Cell
		for _, s.Config.Seed = range s.Config.Seeds {
			cells = append(cells, s.Cells(RunOptions{})...)
		}
		for _, c := range cells {
			if at := s.At(c); at < 1 || at > len(s.Folds) || s.cells(at)[0].Fold != c.Fold || s.cells(at)[0].Inner != c.Inner {
				rt.Fatalf("%s is about fold %d of %d", Describe(c), at, len(s.Folds))
			}
			if seen[c] || names[CellName(c)] {
				rt.Fatalf("%s is done twice, or its file %s is written twice", Describe(c), CellName(c))
			}
			for _, o := range s.origins(c) {
				if !seen[o] {
					rt.Fatalf("%s comes before %s, which it starts from", Describe(c), Describe(o))
				}
			}
			seen[c], names[CellName(c)] = true, true
		}
		sparse := 0
		if slices.Contains(methods, "nsfp") {
			sparse = 1
		}
		control := 0
		if len(methods) > 0 && slices.Contains(s.Config.Recover, result.FineTuned) {
			control = 1
		}
		// One unpruned network serves all methods, one sparsity-trained all its ratios, and one
		// is trained on as long as all that are fine-tuned.
		if want := len(s.Config.Seeds) * len(s.Folds) * (1 + control + sparse + len(methods)*len(ratios)*(1+len(s.Config.Recover))); len(cells) != want {
			rt.Fatalf("%d cells, want %d", len(cells), want)
		}
	})
}

func TestFoldsThatCanNotBeTrainedAreRefused(t *testing.T) {
	s := study(t)
	s.Set = clips(2, 2, 2)
	s.Config.Split = Split{Name: "KFoldCrossSubject", Folds: 2, Val: 0.2}
	if err := s.Divide(); err == nil || !strings.Contains(err.Error(), "fold 1") {
		t.Errorf("one subject to train and validate on: error %v, want one about fold 1", err)
	}
	s = study(t)
	s.Set = clips(6, 1, 4) // every subject has class a only
	for i, c := range s.Set.Clips {
		if c.Subject == "6" {
			s.Set.Y[i] = 1
		}
	}
	s.Config.Split = Split{Name: "LeaveOneSubjectOut", Val: 0.2}
	if err := s.Divide(); err == nil || !strings.Contains(err.Error(), "class") {
		t.Errorf("a fold that trains on one class: error %v, want one about classes", err)
	}
}

func TestMeasureGivesPlausibleTimes(t *testing.T) {
	n := reftest.Network(t, study(t).Arch)
	v, err := Measure(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	if !(v.Latency1 > 0 && v.Latency64 > v.Latency1 && v.Throughput64 > 0) {
		t.Errorf("one clip %g ms, 64 clips %g ms, %g clips/s", v.Latency1, v.Latency64, v.Throughput64)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Measure(ctx, n); err != context.Canceled {
		t.Errorf("error %v after a cancel", err)
	}
}
