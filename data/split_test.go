package data

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// madeSet draws a set of any number of subjects, sessions, trials and clips, in
// any order of rows.
func madeSet(t *rapid.T) *Set {
	s := &Set{Shape: []int{1}, Classes: []string{"a", "b"}}
	stimuli := rapid.IntRange(5, 7).Draw(t, "stimuli")
	sessions := rapid.IntRange(1, 2).Draw(t, "sessions")
	label := 0
	for subject := range rapid.IntRange(4, 7).Draw(t, "subjects") {
		for session := range sessions {
			for trial := range rapid.IntRange(4, 5).Draw(t, "trials") {
				label++
				for clip := range rapid.IntRange(5, 7).Draw(t, "clips") {
					s.Clips = append(s.Clips, Clip{Subject: fmt.Sprint(subject), Session: fmt.Sprint(session), Trial: trial + 1, Stimulus: fmt.Sprint(label % stimuli), Start: clip})
					s.Y = append(s.Y, int64(label%2))
				}
			}
		}
	}
	if rapid.Bool().Draw(t, "mixed rows") {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0))
		rng.Shuffle(len(s.Y), func(i, j int) {
			s.Y[i], s.Y[j] = s.Y[j], s.Y[i]
			s.Clips[i], s.Clips[j] = s.Clips[j], s.Clips[i]
		})
	}
	s.X = make([]float32, len(s.Y))
	return s
}

// key is the unit that a split keeps together.
func key(s *Set, row int, u unit) string {
	c := s.Clips[row]
	switch u {
	case subjects:
		return c.Subject
	case stimuli:
		return c.Stimulus
	case trialNumbers:
		return fmt.Sprint(c.Trial)
	case sameTrial, inTrial:
		return fmt.Sprint(c.Subject, "/", c.Trial)
	case trials:
		return fmt.Sprint(c.Subject, "/", c.Session, "/", c.Trial)
	}
	return fmt.Sprint(row)
}

func sharesUnit(s *Set, a, b []int, u unit) bool {
	in := map[string]bool{}
	for _, r := range a {
		in[key(s, r, u)] = true
	}
	return slices.ContainsFunc(b, func(r int) bool { return in[key(s, r, u)] })
}

// together checks that parts are disjoint and make up whole.
func together(whole []int, parts ...[]int) error {
	all := slices.Sorted(slices.Values(slices.Concat(parts...)))
	want := slices.Sorted(slices.Values(whole))
	if !slices.Equal(all, want) {
		return fmt.Errorf("parts hold %d rows, not once each of the %d of the whole", len(all), len(want))
	}
	return nil
}

// TestSplits: in every split each row is tested once, nothing is on both sides, units stay
// together, also in validation, and the seed settles everything.
func TestSplits(t *testing.T) {
	for _, kind := range splitKinds() {
		t.Run(kind.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				set := madeSet(t)
				shuffled, seed := rapid.Bool().Draw(t, "shuffle"), rapid.Uint64().Draw(t, "seed")
				split, err := NewSplit(kind.name, rapid.IntRange(2, 3).Draw(t, "k"), shuffled, seed)
				if err != nil {
					t.Fatal(err)
				}
				folds, err := split.Folds(set)
				if err != nil {
					if strings.Contains(err.Error(), "class") { // by chance a fold trains on one class
						t.Skip()
					}
					t.Fatal(err)
				}
				var tested [][]int
				for _, f := range folds {
					checkFold(t, kind, set, split, f)
					tested = append(tested, f.Test)
				}
				if err := together(allRows(set), tested...); err != nil {
					t.Fatal("test parts: ", err)
				}
				again, err := split.Folds(set)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(folds, again); d != "" {
					t.Fatal("folds differ from one call to the next: ", d)
				}
			})
		})
	}
}

func checkFold(t *rapid.T, kind splitKind, set *Set, split Split, f Fold) {
	whole := allRows(set)
	if kind.alone {
		subject := set.Clips[f.Test[0]].Subject
		whole = slices.DeleteFunc(whole, func(r int) bool { return set.Clips[r].Subject != subject })
	}
	if err := together(whole, f.Train, f.Test); err != nil {
		t.Fatal("train and test: ", err)
	}
	fit, val, err := split.Validation(set, f.Train, 0.2)
	if err != nil {
		if units := pureUnits(set, f.Train, kind.unit); strings.Contains(err.Error(), "both trained on and validated on") && slices.Min(units) < 2 {
			return
		}
		t.Fatal(err)
	}
	for c, n := range pureUnits(set, f.Train, kind.unit) {
		hasNot := func(rows []int) bool { return !slices.Contains(set.classesOf(rows), int64(c)) }
		if n > 1 && (hasNot(fit) || hasNot(val)) {
			t.Fatalf("class %d has %d units to train on and is not on both sides", c, n)
		}
	}
	if err := together(f.Train, fit, val); err != nil {
		t.Fatal("fit and validation: ", err)
	}
	if len(fit) == 0 || len(val) == 0 {
		t.Fatalf("%d rows to fit and %d to validate", len(fit), len(val))
	}
	if kind.unit >= trials {
		if sharesUnit(set, f.Train, f.Test, kind.unit) || sharesUnit(set, fit, val, kind.unit) || sharesUnit(set, f.Train, f.Test, trials) {
			t.Fatal("a unit is on both sides")
		}
	}
	if kind.unit == inTrial && !sharesUnit(set, f.Train, f.Test, sameTrial) {
		t.Fatal("a split within trials has no trial on both sides")
	}
	if split.Leaks() == (kind.unit >= trials) {
		t.Fatalf("Leaks says %v", split.Leaks())
	}
}

// pureUnits counts for each class the units of rows that have clips of it alone: clips
// where nothing is kept together or trials are divided.
func pureUnits(s *Set, rows []int, u unit) []int {
	if u == inTrial {
		u = clips
	}
	counts := make([]int, len(s.Classes))
	for _, g := range grouped(s, rows, u) {
		if c := s.classesOf(g.rows); len(c) == 1 {
			counts[c[0]]++
		}
	}
	return counts
}

// TestValidationHasEveryClass is by hand: of four trials, two of each class, a fifth is one
// trial, which has one class: scikit-learn's train_test_split(test_size=0.2, stratify=...)
// refuses that ("test_size = 1 should be greater or equal to the number of classes = 2").
func TestValidationHasEveryClass(t *testing.T) {
	set := &Set{Shape: []int{1}, X: make([]float32, 8), Y: []int64{0, 0, 1, 1, 0, 0, 1, 1}, Classes: []string{"a", "b"}}
	for row := range 8 {
		set.Clips = append(set.Clips, Clip{Subject: "1", Trial: row/2 + 1})
	}
	for _, name := range []string{"KFoldByTrial", "KFoldCrossTrial", "KFoldPerSubjectCrossTrial", "KFold", "KFoldGroupbyTrial"} {
		for seed := range uint64(20) {
			split, err := NewSplit(name, 2, true, seed)
			if err != nil {
				t.Fatal(err)
			}
			fit, val, err := split.Validation(set, allRows(set), 0.2)
			if err != nil {
				t.Fatal(err)
			}
			if f, v := len(set.classesOf(fit)), len(set.classesOf(val)); f != 2 || v != 2 {
				t.Errorf("%s, seed %d: %d classes to train on, %d to validate on", name, seed, f, v)
			}
		}
	}
	split, err := NewSplit("KFoldByTrial", 2, true, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := split.Validation(set, []int{0, 1, 2, 3, 4, 5}, 0.2); err == nil || !strings.Contains(err.Error(), `"b" to be both`) {
		t.Errorf("one trial of class b: error %v", err)
	}
}

// TestValidationOfSubjectsHasEveryClass: units with clips of both classes, but for one.
func TestValidationOfSubjectsHasEveryClass(t *testing.T) {
	set := &Set{Shape: []int{1}, Classes: []string{"a", "b"}}
	for subject, labels := range [][]int64{{0, 0, 0}, {0, 0, 0}, {0, 0, 1}, {0, 0, 0}, {0, 0, 1}} {
		for _, y := range labels {
			set.Clips = append(set.Clips, Clip{Subject: fmt.Sprint(subject), Trial: 1})
			set.X, set.Y = append(set.X, 0), append(set.Y, y)
		}
	}
	for seed := range uint64(20) {
		split, err := NewSplit("KFoldCrossSubject", 2, true, seed)
		if err != nil {
			t.Fatal(err)
		}
		fit, val, err := split.Validation(set, allRows(set), 0.2)
		if err != nil {
			t.Fatal(err)
		}
		if f, v := len(set.classesOf(fit)), len(set.classesOf(val)); f != 2 || v != 2 {
			t.Errorf("seed %d: %d classes to train on, %d to validate on", seed, f, v)
		}
	}
}

// TestUnshuffledIsScikitLearns holds folds against scikit-learn 1.5's
// KFold(4).split on 10 items: test parts 0-2, 3-5, 6-7, 8-9.
func TestUnshuffledIsScikitLearns(t *testing.T) {
	want := [][]int{{0, 1, 2}, {3, 4, 5}, {6, 7}, {8, 9}}
	set := &Set{Shape: []int{1}, X: make([]float32, 10), Classes: []string{"a", "b"}}
	for i := range 10 {
		set.Y = append(set.Y, int64(i%2))
		set.Clips = append(set.Clips, Clip{Subject: fmt.Sprint(i + 1), Trial: 1, Start: i})
	}
	for _, name := range []string{"KFold", "KFoldByTrial", "KFoldCrossSubject"} {
		split, err := NewSplit(name, 4, false, 0)
		if err != nil {
			t.Fatal(err)
		}
		folds, err := split.Folds(set)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range folds {
			if !slices.Equal(f.Test, want[i]) {
				t.Errorf("%s fold %d tests %v, want %v", name, i, f.Test, want[i])
			}
		}
	}
}

func TestLeaveOneSubjectOutFollowsNaturalOrder(t *testing.T) {
	set := &Set{Shape: []int{1}, X: make([]float32, 8), Classes: []string{"a", "b"}}
	for _, s := range []string{"s10", "s9", "s1", "s02"} {
		for y := range 2 {
			set.Y = append(set.Y, int64(y))
			set.Clips = append(set.Clips, Clip{Subject: s, Trial: y + 1})
		}
	}
	split, err := NewSplit("LeaveOneSubjectOut", 0, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	folds, err := split.Folds(set)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, f := range folds {
		order = append(order, set.Clips[f.Test[0]].Subject)
	}
	if d := cmp.Diff([]string{"s1", "s02", "s9", "s10"}, order); d != "" {
		t.Error(d)
	}
}

func TestSplitRefuses(t *testing.T) {
	one := &Set{Shape: []int{1}, X: make([]float32, 4), Y: []int64{0, 0, 1, 1}, Classes: []string{"calm", "glad"},
		Clips: []Clip{{Subject: "1", Trial: 1}, {Subject: "1", Trial: 1}, {Subject: "1", Trial: 2}, {Subject: "1", Trial: 2}}}
	for _, c := range []struct {
		name string
		k    int
		want string
	}{
		{"KFoldCrossSubject", 5, "there are 1"},
		{"LeaveOneSubjectOut", 0, "at least that many subjects and there are 1"},
		{"KFoldCrossTrial", 3, "there are 2"},
		{"KFoldGroupbyTrial", 3, "trial 1 of subject 1 has 2"},
		{"KFoldCrossTrial", 2, `class "glad" alone`},
		{"KFoldPerSubjectCrossTrial", 3, "of subject 1"},
		{"KFold", 1, "at least 2"},
		{"KFoldCrossSubjects", 5, "did you mean KFoldCrossSubject"},
	} {
		split, err := NewSplit(c.name, c.k, false, 0)
		if err == nil {
			_, err = split.Folds(one)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
	}
	split, err := NewSplit("KFoldCrossSubject", 2, true, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := split.Validation(one, []int{0, 1, 2, 3}, 0.2); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("validation from one subject: error %v", err)
	}
	if _, _, err := split.Validation(one, []int{0, 99}, 0.2); err == nil {
		t.Error("a row outside the set: no error")
	}
}

func TestNonLeakingDoesNotLeak(t *testing.T) {
	for _, name := range SplitNames() {
		split, err := NewSplit(NonLeaking(name), 5, true, 1)
		if err != nil || split.Leaks() {
			t.Errorf("%s -> %s: %v", name, NonLeaking(name), err)
		}
	}
}

func TestValidationKeepsClassProportions(t *testing.T) {
	set := &Set{Shape: []int{1}, X: make([]float32, 100), Classes: []string{"a", "b"}}
	for i := range 100 {
		y := int64(0)
		if i >= 80 {
			y = 1
		}
		set.Y = append(set.Y, y)
		set.Clips = append(set.Clips, Clip{Subject: "1", Trial: i + 1})
	}
	split, err := NewSplit("KFoldCrossTrial", 5, true, 3)
	if err != nil {
		t.Fatal(err)
	}
	_, val, err := split.Validation(set, allRows(set), 0.2)
	if err != nil {
		t.Fatal(err)
	}
	ones := 0
	for _, r := range val {
		ones += int(set.Y[r])
	}
	if len(val) != 20 || ones != 4 {
		t.Errorf("%d rows with %d of the rarer class, want 20 with 4", len(val), ones)
	}
}

// testClips are those that each fold is tested on.
func testClips(t *testing.T, split Split, set *Set) [][]int {
	t.Helper()
	folds, err := split.Folds(set)
	if err != nil {
		t.Fatal(err)
	}
	var tests [][]int
	for _, f := range folds {
		tests = append(tests, f.Test)
	}
	return tests
}

// A stimulus that two subjects had in other trials is held out of both.
func TestStimuliAreHeldOut(t *testing.T) {
	set := &Set{Shape: []int{1}, Classes: []string{"a", "b"}}
	for _, c := range []struct {
		subject, stimulus string
		trial             int
		class             int64
	}{{"1", "film 2", 1, 0}, {"1", "film 10", 2, 1}, {"1", "film 1", 3, 1}, {"2", "film 10", 1, 1}, {"2", "film 1", 2, 1}, {"2", "film 2", 3, 0}, {"3", "film 3", 9, 0}} {
		set.Clips = append(set.Clips, Clip{Subject: c.subject, Trial: c.trial, Stimulus: c.stimulus})
		set.Y = append(set.Y, c.class)
	}
	set.X = make([]float32, len(set.Y))
	split, err := NewSplit(LeaveOneStimulusOut, 0, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]int{{2, 4}, {0, 5}, {6}, {1, 3}}, testClips(t, split, set)); d != "" {
		t.Error(d)
	}
	set.Clips[3].Stimulus = ""
	if _, err := split.Folds(set); err == nil || !strings.Contains(err.Error(), "which stimulus trial 1 of subject 2") {
		t.Errorf("a trial of no stimulus: %v", err)
	}
}
