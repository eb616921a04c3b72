package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/source"
)

// TestMontageFile: a channel that no system names has no place on the grid until a file says
// where it lies; on Fp1's place it gives the features of Fp1.
func TestMontageFile(t *testing.T) {
	dir := simulated(t, "edf")
	want := featuresOf(t, dir, "recordings")
	for _, f := range edfFiles(t, dir) {
		edit(t, f, func(b []byte) []byte { return bytes.Replace(b, []byte("Fp1 "), []byte("X1  "), 1) })
	}
	r := eegprune(t, dir, "data", "features", "recordings", "--quiet")
	if r.code != 1 {
		t.Errorf("without a montage: exit code %d, want 1", r.code)
	}
	oneSentence(t, r, "X1", "--montage", "channels.exclude")

	// Fp1 by EasyCap's angles, and by the axes that BIDS files have; the others keep their
	// own places, whatever the file says.
	write(t, filepath.Join(dir, "cap.txt"), []byte("Site\tTheta\tPhi\nX1\t-90\t-72\nCz\t0\t0\nC3\t-45\t0\nC4\t45\t0\nOz\t90\t-90\nFpz\t90\t90\n"))
	write(t, filepath.Join(dir, "sub-1_electrodes.tsv"), []byte("name\tx\ty\tz\nX1\t-0.0309\t0.0951\t0\nCz\t0\t0\t0.1\nC3\t-0.0707\t0\t0.0707\nC4\t0.0707\t0\t0.0707\nOz\t0\t-0.1\t0\n"))
	for _, file := range []string{"cap.txt", "sub-1_electrodes.tsv"} {
		if d := cmp.Diff(want.X, featuresOf(t, dir, "recordings", "--montage", file).X); d != "" {
			t.Errorf("%s: features differ (-of Fp1 +of X1): %.500s", file, d)
		}
	}
	// The manifest can name the file too, below its own directory.
	if err := os.Rename(filepath.Join(dir, "cap.txt"), filepath.Join(dir, "recordings", "cap.txt")); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "recordings", source.ManifestName), func(b []byte) []byte { return append(b, "\nmontage: cap.txt\n"...) })
	if d := cmp.Diff(want.X, featuresOf(t, dir, "recordings").X); d != "" {
		t.Errorf("in the manifest: features differ: %.500s", d)
	}

	write(t, filepath.Join(dir, "other.sfp"), []byte("Y1 0 1 0\n"))
	r = eegprune(t, dir, "data", "features", "recordings", "--quiet", "--montage", "other.sfp")
	oneSentence(t, r, "X1")
	r = eegprune(t, dir, "data", "features", "recordings", "--quiet", "--montage", "none.sfp")
	oneSentence(t, r, "none.sfp")
}

// TestNotesInJSON: notes of channels left out are there for programs too, by kind, file and
// words.
func TestNotesInJSON(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	in := "testdata/inputs/n22-aux-at-another-rate"
	for _, args := range [][]string{{"info", in}, {"convert", in, "--out", filepath.Join(dir, "c")}} {
		var said struct {
			Notes []struct {
				Kind, What string
				Files      []string
			}
		}
		if err := json.Unmarshal([]byte(must(t, ".", append(append([]string{"data"}, args...), "--json")...).stdout), &said); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, n := range said.Notes {
			found = found || n.Kind == "left out" && len(n.Files) == 1 && strings.HasSuffix(n.Files[0], ".edf") && strings.Contains(n.What, "ECG")
		}
		if !found {
			t.Errorf("data %v --json: notes %+v", args, said.Notes)
		}
	}
	strict := filepath.Join(dir, "strict")
	for _, args := range [][]string{{"info", in}, {"convert", in, "--out", strict}} {
		r := eegprune(t, ".", append(append([]string{"data"}, args...), "--strict")...)
		if r.code != 1 {
			t.Errorf("data %v --strict: exit code %d, want 1", args, r.code)
		}
		oneSentence(t, r, "ECG", "--strict")
	}
	if _, err := os.Stat(strict); err == nil {
		t.Error("a refused conversion left a directory")
	}
}
