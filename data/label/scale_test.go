package label

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func scales() []Scale {
	return []Scale{
		{Key: "valence", Low: 1, High: 9, Threshold: 5}, {Key: "arousal", Low: 1, High: 9, Threshold: 5},
		{Key: "emotion", Classes: Numbered("neutral", "sad", "fear")}, {Key: "intensity", Low: 0, High: 1, Threshold: 0.5},
	}
}

// By EEGain's and LibEER's sources: the first takes ratings above the threshold for high, the
// second leaves out those between two bounds.
func TestChoicesMakeClasses(t *testing.T) {
	four, three := 4.0, 3.0
	for _, c := range []struct {
		choice          Choice
		valence, second float64
		want, rule      string // want "" where the trial is left out
	}{
		{Choice{}, 5, 1, "valence >= 5", "valence >= 5"},
		{Choice{Tie: TieHigh}, 5, 1, "valence >= 5", "valence >= 5"},
		{Choice{Tie: TieLow}, 5, 1, "valence <= 5", "valence > 5"},
		{Choice{Tie: TieLow}, 5.1, 1, "valence > 5", "valence > 5"},
		{Choice{Tie: TieDrop}, 5, 1, "", "valence > 5, ties dropped"},
		{Choice{Tie: TieDrop}, 4.9, 1, "valence < 5", "valence > 5, ties dropped"},
		{Choice{Threshold: &four}, 4, 1, "valence >= 4", "valence >= 4"},
		{Choice{Keys: []string{"quadrants"}}, 7, 2, "valence >= 5, arousal < 5", "valence >= 5 and arousal >= 5"},
		{Choice{Keys: []string{"arousal", "valence"}, Threshold: &three, Tie: TieLow}, 7, 3, "arousal <= 3, valence > 3", "arousal > 3 and valence > 3"},
		{Choice{Keys: []string{"quadrants"}, Tie: TieDrop}, 7, 5, "", "valence > 5, ties dropped and arousal > 5, ties dropped"},
		{Choice{Keys: []string{"emotion"}}, 7, 2, "fear", "emotion"},
	} {
		p, err := c.choice.Pipeline(scales())
		if err != nil {
			t.Fatalf("%+v: %v", c.choice, err)
		}
		if p.Rule() != c.rule {
			t.Errorf("%+v: the rule is %q, want %q", c.choice, p.Rule(), c.rule)
		}
		ready, err := p.Prepare(Form{Keys: Keys(scales()), Classes: make([][]string, 4)})
		if err != nil {
			t.Fatalf("%+v: %v", c.choice, err)
		}
		class, err := ready.Class(map[string]float64{"valence": c.valence, "arousal": c.second, "emotion": c.second, "intensity": 1})
		if c.want == "" {
			if !errors.Is(err, ErrTie) {
				t.Errorf("%+v: a tie gives class %d, %v", c.choice, class, err)
			}
			continue
		}
		if err != nil || ready.Classes[class] != c.want {
			t.Errorf("%+v: class %d of %q, %v; want %s", c.choice, class, ready.Classes, err, c.want)
		}
	}
}

func TestChoicesThatMakeNoClass(t *testing.T) {
	ten := 10.0
	for want, c := range map[string]Choice{
		`no label "valenc" (did you mean valence?)`: {Keys: []string{"valenc"}},
		"chosen twice":      {Keys: []string{"valence", "valence"}},
		"is no rating":      {Keys: []string{"valence", "emotion"}},
		"no threshold":      {Keys: []string{"emotion"}, Threshold: &ten},
		"on both sides":     {Threshold: &ten},
		"give one for both": {Keys: []string{"valence", "intensity"}},
	} {
		if _, err := c.Pipeline(scales()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	if _, err := (Choice{}).Pipeline(nil); err == nil {
		t.Error("a choice among nothing is none")
	}
	var all []string
	for _, c := range All(scales()) {
		all = append(all, c.Keys...)
	}
	if d := cmp.Diff([]string{"valence", "arousal", "emotion", "intensity", "quadrants"}, all); d != "" {
		t.Error(d)
	}
}
