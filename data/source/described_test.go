package source

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/npy"
)

func inspected(t *testing.T, s *Source) *Summary {
	t.Helper()
	sum, err := Inspect(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestDescriptionsRefuse(t *testing.T) {
	x := npy.Named{Name: "x", Shape: []int{2, 1, 8}, Values: make([]float64, 16)}
	for name, c := range map[string]struct {
		arrays []npy.Named
		want   string
	}{
		"features":    {[]npy.Named{{Name: "x", Shape: []int{2, 4, 1, 1}, Values: make([]float64, 8)}, {Name: "y", Values: []int64{0, 1}}}, "that they were made of"},
		"labels":      {[]npy.Named{x, {Name: "y", Values: []int64{0, 1, 1}}}, "labels for 3"},
		"subjects":    {[]npy.Named{x, {Name: "subject", Values: []int64{1, 2}}}, "save them as trial"},
		"trials":      {[]npy.Named{x, {Name: "trial", Values: []int64{0, 1}}}, "from 1"},
		"trial count": {[]npy.Named{x, {Name: "trial", Values: []int64{1}}}, "array trial has 1"},
		"rates":       {[]npy.Named{x, {Name: "rate", Values: []float64{1, 2}}}, "one number"},
		"a grid":      {[]npy.Named{x, {Name: "channels", Shape: []int{2, 2}, Values: []int64{1, 2, 3, 4}}}, "one axis"},
		"channels":    {[]npy.Named{x, {Name: "rate", Values: []float64{8}}, {Name: "channels", Values: []string{"Fp1", "Fp2"}}}, "2 electrodes are named"},
		"no samples":  {[]npy.Named{{Name: "a", Values: []int64{0}}, {Name: "b", Values: []int64{0}}}, "signal.array"},
	} {
		s, err := Open(filetest.Put(t, map[string][]byte{"a.npz": filetest.Archive(t, c.arrays...)}), "")
		if err != nil {
			t.Fatal(name, err)
		}
		if sum := inspected(t, s); len(sum.Bad) != 1 || !strings.Contains(sum.Bad[0], c.want) || !strings.Contains(sum.Bad[0], "a.npz") {
			t.Errorf("%s: %q, want one that says %q", name, sum.Bad, c.want)
		}
	}
}

func TestCommonClasses(t *testing.T) {
	for name, c := range map[string]struct {
		all  []*description
		want []string
		why  string
	}{
		"numbers":         {[]*description{{y: []float64{1, 0}}, {y: []float64{-1}}}, []string{"-1", "0", "1"}, ""},
		"names":           {[]*description{{y: []float64{1}, classes: []string{"sad", "glad"}}}, []string{"sad", "glad"}, ""},
		"none":            {[]*description{{}, {}}, nil, ""},
		"no files":        {nil, nil, ""},
		"some":            {[]*description{{y: []float64{1}}, {}}, nil, "only 1 of 2"},
		"ratings":         {[]*description{{y: []float64{1, 5.5}}}, nil, "5.5"},
		"beyond":          {[]*description{{y: []float64{2}, classes: []string{"sad", "glad"}}}, nil, "2 is the number of no class"},
		"one class":       {[]*description{{y: []float64{1, 1}}}, nil, "one class"},
		"different names": {[]*description{{y: []float64{1}, classes: []string{"a", "b"}}, {y: []float64{1}, classes: []string{"b", "a"}}}, nil, "different"},
	} {
		got, why := commonClasses(c.all)
		if d := cmp.Diff(c.want, got.Names()); d != "" || !strings.Contains(why, c.why) || (why == "") != (c.why == "") {
			t.Errorf("%s: %q, %q", name, got, why)
		}
	}
}

func TestFormatIsNamed(t *testing.T) {
	dir := filetest.Put(t, map[string][]byte{ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": filetest.Plain().Bytes(t), "s1_2_glad.edf": filetest.Plain().Bytes(t)})
	s, err := Open(dir, "edf")
	if err != nil || len(s.Classes) != 2 {
		t.Errorf("the directory's manifest, which is of that format: %v, %v", s, err)
	}
	if _, err := Open(dir, "npy"); err == nil || !strings.Contains(err.Error(), "format edf") || !strings.Contains(err.Error(), ManifestName) {
		t.Errorf("another format than the manifest's: %v", err)
	}
	if _, err := Open(filetest.Put(t, map[string][]byte{"a.edf": nil}), "bdf"); err == nil || !strings.Contains(err.Error(), ".bdf") {
		t.Errorf("a format of no file: %v", err)
	}
}
