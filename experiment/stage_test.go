package experiment

import (
	"testing"

	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
)

// The two tables of stages, one for making networks and one for reports, have the same stages
// in the same order, and each starts from earlier ones.
func TestStagesAreThoseOfResults(t *testing.T) {
	all, known := stages(), result.Stages()
	if len(all) != len(known) {
		t.Fatalf("%d stages are made, results know of %d", len(all), len(known))
	}
	asked := map[string]bool{}
	for i, s := range all {
		of := known[i]
		if s.name != of.Name {
			t.Errorf("stage %d is %q here and %q in results", i, s.name, of.Name)
		}
		if s.make == nil || s.epochs == nil || s.from == nil || of.Doc == "" {
			t.Errorf("%s lacks a part: %+v, %+v", s.name, s, of)
		}
		for _, training := range []*prune.Training{nil, {}, {Prunes: true}} {
			for _, from := range s.from(Config{Distill: Distill{Weight: 1}}, training) {
				if result.Order(from) >= i {
					t.Errorf("%s starts from %s, which comes after it", s.name, from)
				}
			}
		}
		if of.Reference != "" && result.Order(of.Reference) >= len(known) {
			t.Errorf("%s is judged against %q, which there is not", s.name, of.Reference)
		}
		if of.Recovered && s.ask == "" {
			t.Errorf("%s is a recovery that nobody can ask for", s.name)
		}
		if s.ask != "" {
			if stage, err := ParseRecovery(s.ask); err != nil || stage != s.name || asked[s.ask] {
				t.Errorf("%q leads to %q, %v, want %s alone", s.ask, stage, err, s.name)
			}
			asked[s.ask] = true
		}
	}
	if _, err := ParseRecovery(""); err == nil {
		t.Error("no name is a way to recover")
	}
}
