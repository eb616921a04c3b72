package data

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/eegprune/eegprune/data/npy"
)

func TestNPZGoesBothWays(t *testing.T) {
	want := &Set{Shape: []int{2, 1, 3}, X: []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.5}, Y: []int64{2, 0}, Classes: []string{"a", "b", "c"}, Rate: 128,
		Clips: make([]Clip, 2)}
	path := filepath.Join(t.TempDir(), "set.npz")
	if err := want.SaveNPZ(path); err != nil {
		t.Fatal(err)
	}
	got, err := LoadNPZ(path)
	if err != nil {
		t.Fatal(err)
	}
	want.Classes, want.Clips = []string{"0", "1", "2"}, nil
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Set{})); d != "" {
		t.Error(d)
	}
}

func TestLoadNPZRefuses(t *testing.T) {
	x := npy.Named{Name: "x", Shape: []int{2, 1, 1, 2}, Values: []float32{1, 2, 3, 4}}
	for want, arrays := range map[string][]npy.Named{
		`"x"`:            {{Name: "y", Values: []int64{0, 1}}},
		`"y"`:            {x},
		"[2 2]":          {{Name: "x", Shape: []int{2, 2}, Values: []float32{1, 2, 3, 4}}, {Name: "y", Values: []int64{0, 1}}},
		"2 clips":        {x, {Name: "y", Values: []int64{0, 1, 1}}},
		"clip 2 has":     {x, {Name: "y", Values: []float64{0, 0.5}}},
		"has class -1":   {x, {Name: "y", Values: []int64{-1, 0}}},
		"has class 1e+1": {x, {Name: "y", Values: []float64{1e18, 0}}},
	} {
		path := filepath.Join(t.TempDir(), "bad.npz")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := npy.WriteArchive(file, arrays); err != nil {
			t.Fatal(err)
		}
		file.Close()
		if _, err := LoadNPZ(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("the error is %v and does not say %s", err, want)
		}
	}
}
