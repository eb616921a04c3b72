package source

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/filetest"
)

func TestInspect(t *testing.T) {
	good := filetest.Plain().Bytes(t)
	flat := filetest.Plain()
	flat.Sample = func(c, i int) float64 { return filetest.Wave(c, i) * math.Min(float64(c), 1) }
	other := filetest.Plain()
	other.Labels[0] = "Fp2"
	dir := filetest.Put(t, map[string][]byte{ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": good, "s1_2_glad.edf": good, "s2_1_sad.edf": flat.Bytes(t),
		"s2_2_glad.edf": other.Bytes(t), "s10_1_sad.edf": good[:700], "s10_2_glad.edf": good})
	s, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := Inspect(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []SubjectSummary{
		{Subject: "1", Trials: 2, Seconds: 6, Classes: []int{1, 1}},
		{Subject: "2", Trials: 2, Seconds: 6, Classes: []int{1, 1}},
		{Subject: "10", Trials: 1, Seconds: 3, Classes: []int{0, 1}},
	}
	if d := cmp.Diff(want, sum.Subjects); d != "" {
		t.Error(d)
	}
	if len(sum.Caps) != 2 || sum.Caps[0].Recordings != 4 || sum.Caps[1].Channels[0] != "Fp2" {
		t.Errorf("caps %+v", sum.Caps)
	}
	if len(sum.Faults) != 1 || !strings.Contains(sum.Faults[0], "Fp1 is flat") || !strings.Contains(sum.Faults[0], "s2_1_sad.edf") {
		t.Errorf("faults %q", sum.Faults)
	}
	if len(sum.Bad) != 1 || !strings.Contains(sum.Bad[0], "s10_1_sad.edf") {
		t.Errorf("bad files %q", sum.Bad)
	}
}
