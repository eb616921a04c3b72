package label

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ratings() Form {
	return Form{Keys: []string{"valence", "arousal"}, Classes: make([][]string, 2)}
}

// TestPipelines: classes as torcheeg 1.1.3 gives them.
func TestPipelines(t *testing.T) {
	labels := func(v, a float64) map[string]float64 { return map[string]float64{"valence": v, "arousal": a} }
	for _, c := range []struct {
		pipeline string
		labels   map[string]float64
		want     string
	}{
		{`[{"name":"Select","args":{"key":["valence"]}},{"name":"Binary","args":{"threshold":5}}]`, labels(5, 1), "valence >= 5"},
		{`[{"name":"Select","args":{"key":["valence"]}},{"name":"Binary","args":{"threshold":5}}]`, labels(4.99, 9), "valence < 5"},
		{`[{"name":"Binary"},{"name":"BinariesToCategory"}]`, labels(6, 2), "valence >= 5, arousal < 5"},
		{`[{"name":"Select","args":{"key":["arousal"]}},{"name":"Mapping","args":{"classes":[{"value":1,"class":"low"},{"value":2,"class":"low"},{"value":3,"class":"high"}]}}]`, labels(0, 3), "high"},
	} {
		var p Pipeline
		if err := json.Unmarshal([]byte(c.pipeline), &p); err != nil {
			t.Fatal(err)
		}
		ready, err := p.Prepare(ratings())
		if err != nil {
			t.Fatal(err)
		}
		class, err := ready.Class(c.labels)
		if err != nil {
			t.Fatal(err)
		}
		if got := ready.Classes[class]; got != c.want {
			t.Errorf("%v by %s is %q, want %q", c.labels, c.pipeline, got, c.want)
		}
	}
}

func TestCategoryNumbersAreTorcheegs(t *testing.T) {
	ready, err := Pipeline{&Binary{Threshold: 5}, &BinariesToCategory{}}.Prepare(ratings())
	if err != nil {
		t.Fatal(err)
	}
	// torcheeg: [0, 0] -> 0, [0, 1] -> 1, [1, 0] -> 2, [1, 1] -> 3.
	for want, l := range []map[string]float64{{"valence": 1, "arousal": 1}, {"valence": 1, "arousal": 9}, {"valence": 9, "arousal": 1}, {"valence": 9, "arousal": 9}} {
		if got, err := ready.Class(l); err != nil || got != want {
			t.Errorf("%v is %d, %v; want %d", l, got, err, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	one := Form{Keys: []string{"emotion"}, Classes: [][]string{nil}}
	for _, c := range []struct {
		p    Pipeline
		in   Form
		want string
	}{
		{Pipeline{}, ratings(), "choose by Select"},
		{Pipeline{}, one, "use Binary or Mapping"},
		{Pipeline{&Select{Keys: []string{"joy"}}}, ratings(), `no label "joy"`},
		{Pipeline{&Select{}}, ratings(), "names no label"},
		{Pipeline{&Binary{}, &Binary{}}, one, "class already"},
		{Pipeline{&BinariesToCategory{}}, ratings(), "put Binary before"},
		{Pipeline{&Mapping{}}, ratings(), "one label"},
		{Pipeline{&Mapping{Classes: []ClassOf{{1, "a"}, {2, "a"}}}}, one, "two classes"},
	} {
		if _, err := c.p.Prepare(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one that says %q", err, c.want)
		}
	}
	if _, err := New("Binry"); err == nil || !strings.Contains(err.Error(), "did you mean Binary") {
		t.Errorf("error %v", err)
	}
	ready, err := Pipeline{&Mapping{Classes: []ClassOf{{1, "a"}, {2, "b"}}}}.Prepare(one)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []map[string]float64{{}, {"emotion": math.NaN()}, {"emotion": 3}} {
		if _, err := ready.Class(l); err == nil {
			t.Errorf("%v: no error", l)
		}
	}
}

func TestPipelineSurvivesWriting(t *testing.T) {
	want := Pipeline{&Select{Keys: []string{"a"}}, &Binary{Threshold: 4}, &BinariesToCategory{}, &Mapping{Classes: []ClassOf{{-1, "x"}}}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Pipeline
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A rating that a trial lacks is missed by the classes that are made of it, and by no other.
func TestLabelsThatAreNotChosenMayBeMissing(t *testing.T) {
	in := Form{Keys: []string{"emotion", "valence"}, Classes: [][]string{nil, nil}}
	emotion := Pipeline{&Select{Keys: []string{"emotion"}}, &Binary{Threshold: 1}}
	valence := Pipeline{&Select{Keys: []string{"valence"}}, &Binary{Threshold: 5}}
	for name, c := range map[string]struct {
		p    Pipeline
		want string
	}{"emotion": {emotion, ""}, "valence": {valence, "it has no label valence"}} {
		made, err := c.p.Prepare(in)
		if err != nil {
			t.Fatal(err)
		}
		class, err := made.Class(map[string]float64{"emotion": 2})
		if c.want == "" && (err != nil || class != 1) || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s: class %d, error %v", name, class, err)
		}
	}
}
