package note

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListSaysEachThingOnce(t *testing.T) {
	var l List
	status := New(LeftOut, "Channels are left out: %s.", "Status")
	l.Add("a/1.bdf", status, status)
	l.Add("a/2.bdf", status)
	l.Add("a/2.bdf", New(Assumed, "Its unit is taken for microvolts."))
	l.Add("", New(About, "There is no manifest."))
	want := List{
		{LeftOut, []string{"a/1.bdf", "a/2.bdf"}, "Channels are left out: Status."},
		{Assumed, []string{"a/2.bdf"}, "Its unit is taken for microvolts."},
		{About, nil, "There is no manifest."},
	}
	if d := cmp.Diff(want, l); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"2 files: Channels are left out: Status.", "2.bdf: Its unit is taken for microvolts.", "There is no manifest."}, l.Sentences()); d != "" {
		t.Error(d)
	}
}

func TestStrict(t *testing.T) {
	l := List{New(About, "There is no manifest.")}
	if err := l.Strict(); err != nil {
		t.Errorf("what leaves nothing out is an error: %v", err)
	}
	for _, k := range []Kind{LeftOut, Corrected, Repeated, Assumed} {
		l := List{l[0], {k, []string{"x/rec.edf"}, "Something about C3."}}
		if err := l.Strict(); err == nil || !strings.Contains(err.Error(), "rec.edf: Something about C3") {
			t.Errorf("%s: error %v", k, err)
		}
	}
}

func TestNoteOfASentence(t *testing.T) {
	var l List
	if err := json.Unmarshal([]byte(`["A sentence.", {"kind": "left out", "files": ["r"], "what": "Another."}]`), &l); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(List{{About, nil, "A sentence."}, {LeftOut, []string{"r"}, "Another."}}, l); d != "" {
		t.Error(d)
	}
}
