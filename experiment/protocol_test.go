package experiment

import (
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/result"
)

// TestMetricIsBalancedWhereClassesDiffer: by more than 1.5 to 1.
func TestMetricIsBalancedWhereClassesDiffer(t *testing.T) {
	set := func(counts ...int) *data.Set {
		s := &data.Set{Classes: make([]string, len(counts))}
		for c, n := range counts {
			s.Y = append(s.Y, slices.Repeat([]int64{int64(c)}, n)...)
		}
		return s
	}
	for _, c := range []struct {
		set  *data.Set
		want string
	}{
		{set(10, 10), result.MetricAccuracy},
		{set(15, 10), result.MetricAccuracy},
		{set(16, 10), result.MetricBalanced},
		{set(10, 12, 16), result.MetricBalanced},
		{set(10, 0), result.MetricBalanced},
	} {
		if got := metricOf(c.set); got != c.want {
			t.Errorf("%d clips: %s, want %s", len(c.set.Y), got, c.want)
		}
	}
}

// TestEvidenceIsOfAllSubjects: of four subjects with 1000 clips each, 512 clips drawn at
// random are 128 of each, with a hypergeometric standard deviation of 9.2; the first 512 are
// of one.
func TestEvidenceIsOfAllSubjects(t *testing.T) {
	s := study(t)
	s.Set = clips(4, 4, 250)
	s.Folds = []Fold{{Fit: s.allRows()}}
	rows := s.evidenceRows(1)
	drawn := map[string]int{}
	for _, r := range rows {
		drawn[s.Set.Clips[r].Subject]++
	}
	for subject := range 4 {
		if n := drawn[string(rune('1'+subject))]; n < 128-5*10 || n > 128+5*10 {
			t.Errorf("%d of %d clips are of subject %d", n, len(rows), subject+1)
		}
	}
	if again := s.evidenceRows(1); !slices.Equal(rows, again) {
		t.Error("other clips are drawn the second time")
	}
	if slices.Sort(rows); len(slices.Compact(rows)) != 512 {
		t.Error("clips are drawn twice")
	}
	s.Config.Seed++
	if other := s.evidenceRows(1); slices.Equal(rows, slices.Sorted(slices.Values(other))) {
		t.Error("another seed draws the same clips")
	}
}

// TestScratchBTrainsAtMostTwice as long: Liu 2019, "if the pruned model saves more than 2x
// FLOPs, we just double the number of epochs".
func TestScratchBTrainsAtMostTwice(t *testing.T) {
	for _, c := range []struct {
		left int64
		want int
	}{{100, 10}, {80, 13}, {60, 17}, {50, 20}, {40, 20}, {1, 20}, {0, 20}} {
		if got := equalCompute(10, 100, c.left); got != c.want {
			t.Errorf("%d of 100 MACs are left: %d epochs, want %d", c.left, got, c.want)
		}
	}
}

func TestLeaksAreNamed(t *testing.T) {
	for _, c := range []struct {
		split   string
		overlap float64
		names   []string
		want    []string // words of each leak
	}{
		{"KFoldCrossSubject", 0, []string{"eeg", "deap", "", "s01.dat"}, nil},
		{"KFoldCrossSubject", 0.5, []string{"s01.dat"}, nil}, // clips that overlap are of one trial
		{"KFold", 0, nil, []string{"KFoldByTrial keeps them apart"}},
		{"KFoldGroupbyTrial", 0.5, nil, []string{"clips of one trial", "overlap by 0.5 s"}},
		{"KFoldPerSubject", 0, []string{"de_movingAve"}, []string{"KFoldPerSubjectCrossTrial", "tested on are part"}},
		{"nested", 0, []string{"x", "ExtractedFeatures/de_LDS1.npy"}, []string{"de_LDS1"}},
		{"LeaveOneSubjectOut", 0, []string{"goldstein", "sailds"}, nil},
	} {
		split, err := data.NewSplit(c.split, 5, true, 1)
		if err != nil {
			t.Fatal(err)
		}
		got := leaks(split, c.overlap, c.names)
		if len(got) != len(c.want) {
			t.Errorf("%s with overlap %g of %q: %q", c.split, c.overlap, c.names, got)
			continue
		}
		for i, says := range c.want {
			if !strings.Contains(got[i], says) {
				t.Errorf("%s: %q does not say %q", c.split, got[i], says)
			}
		}
	}
}

func TestLeaksStandFirst(t *testing.T) {
	s := study(t)
	s.Set = clips(2, 4, 10)
	s.Config.Split = Split{Name: "KFold", Folds: 2, Val: 0.2}
	if err := s.Divide(); err != nil {
		t.Fatal(err)
	}
	if first := s.settings(false)[0]; first.Name != "LEAK" || !strings.Contains(first.Value, "clips of one trial") {
		t.Errorf("a report begins with %v", first)
	}
}

// TestNestedFolds: no subject is on two of the three sides, each is tested on once, and
// within each fold validates once.
func TestNestedFolds(t *testing.T) {
	s := study(t)
	s.Set, s.Folds = clips(7, 2, 3), nil
	s.Config.Split = Split{Name: data.Nested, LeaveOut: 2, Inner: 3, Shuffle: true, Seed: 1, Val: 0.2}
	if err := s.Config.Split.check(); err != nil {
		t.Fatal(err)
	}
	if err := s.Divide(); err != nil {
		t.Fatal(err)
	}
	if err := s.Config.Split.check(); err != nil {
		t.Errorf("what a checkpoint says of its split can't be read again: %v", err)
	}
	if len(s.Folds) != 4*3 {
		t.Fatalf("%d folds, want 4 of 3", len(s.Folds))
	}
	subjects := func(rows []int) (names []string) {
		for _, r := range rows {
			names = append(names, s.Set.Clips[r].Subject)
		}
		return slices.Compact(slices.Sorted(slices.Values(names)))
	}
	var tested []string
	for i := 0; i < len(s.Folds); i += 3 {
		var validated []string
		for _, f := range s.Folds[i : i+3] {
			all := slices.Concat(subjects(f.Fit), subjects(f.Val), subjects(f.Test))
			if slices.Sort(all); len(all) != 7 || len(slices.Compact(all)) != 7 {
				t.Errorf("fold %d: subjects %v are on the three sides together", i/3+1, all)
			}
			if !slices.Equal(f.Test, s.Folds[i].Test) {
				t.Errorf("the inner folds of fold %d are tested on different clips", i/3+1)
			}
			validated = append(validated, subjects(f.Val)...)
		}
		tested = append(tested, subjects(s.Folds[i].Test)...)
		if n := len(subjects(s.Folds[i].Test)); n > 2 || len(validated) != 7-n {
			t.Errorf("fold %d tests on %d subjects and validates on %v", i/3+1, n, validated)
		}
	}
	if slices.Sort(tested); len(tested) != 7 || len(slices.Compact(tested)) != 7 {
		t.Errorf("subjects %v are tested on", tested)
	}
}

// Seeds of which each draws folds anew are observations of their own; those on the same folds
// are not, and the settings say which they are. The split's own seed may be the first of them.
func TestSettingsSayWhetherSeedsDrawFolds(t *testing.T) {
	for name, c := range map[string]struct {
		split Split
		anew  bool // with the seed of each repetition
		want  string
	}{
		"anew":             {Split{Name: "KFoldByTrial", Shuffle: true}, true, "7, 8: repetitions, each with folds, weights and shuffles of its own"},
		"seed of its own":  {Split{Name: "KFoldByTrial", Shuffle: true, Seed: 5}, false, "7, 8: repetitions, each with weights and shuffles of its own, on the same folds"},
		"seed of the 1st":  {Split{Name: "KFoldByTrial", Shuffle: true, Seed: 7}, false, "7, 8: repetitions, each with weights and shuffles of its own, on the same folds"},
		"unshuffled":       {Split{Name: "KFoldByTrial"}, true, "7, 8: repetitions, each with weights and shuffles of its own, on the same folds"},
		"each one subject": {Split{Name: "LeaveOneSubjectOut", Shuffle: true}, true, "7, 8: repetitions, each with weights and shuffles of its own, on the same folds"},
	} {
		var g Grid
		for _, seed := range []uint64{7, 8} {
			s := Study{Config: Config{Model: "eegnet", Seed: seed, Seeds: []uint64{7, 8}, Split: c.split}}
			if c.anew {
				s.Config.Split.Seed = seed
			}
			g = append(g, &s)
		}
		if got := g[0].Config.describeSeeds(g.sameFolds("eegnet")); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := (Config{Seed: 7}).describeSeeds(false); got != "7" {
		t.Errorf("one seed: %q", got)
	}
}
