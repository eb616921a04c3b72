package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsageErrors(t *testing.T) {
	dir := recordings(t)
	checkpoint := "study/checkpoints/fbccnn-fold01-unpruned.safetensors"
	must(t, dir, quick("train", "--out", "study", "--fold", "1")...)
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"frobnicate"}, []string{"frobnicate"}},
		{[]string{"run", "--no-such-flag"}, []string{"--no-such-flag"}},
		{[]string{"run", "--out", "x"}, []string{"data"}},
		{quick("run", "--out", "x", "--ratio", "1"), []string{"--ratio", "outside [0, 1)"}},
		{quick("run", "--out", "x", "--ratio", "-0.1"), []string{"--ratio", "outside [0, 1)"}},
		{quick("run", "--out", "x", "--ratio", "NaN"), []string{"--ratio", "outside [0, 1)"}},
		{quick("run", "--out", "x", "--model", "resnet"), []string{"resnet", "fbccnn", "tsception"}},
		{quick("run", "--out", "x", "--method", "magic"), []string{"--method", "magic", "lfp"}},
		{quick("run", "--out", "x", "--split", "Random"), []string{"Random", "KFoldCrossSubject"}},
		{quick("run", "--out", "x", "--recover", "pray"), []string{"--recover", "pray", "fine-tune"}},
		{quick("run", "--out", "x", "--epochs", "0"), []string{"0 epochs"}},
		{quick("run", "--out", "x", "--steps", "5"), []string{"--epochs", "--steps"}},
		{quick("run", "--out", "x", "--lr", "-1"), []string{"learning rate"}},
		{quick("run", "--out", "x", "--bands", "alpha=14-8"), []string{"--bands", "alpha=14-8"}},
		{quick("run", "--out", "x", "--device", "tpu"), []string{"--device", "tpu"}},
		{quick("run", "--out", "x", "--device", "cuda:77"), []string{"--device", "cuda:77", "--device cpu"}},
		{[]string{"prune", checkpoint, "--ratio", "2", "--out", "x"}, []string{"--ratio"}},
		{[]string{"prune", "--out", "x"}, []string{"arg"}},
		{[]string{"recover", checkpoint, "--how", "magic", "--out", "x"}, []string{"--how", "magic"}},
		{[]string{"inspect", "recordings/eegprune.yaml"}, []string{"eegprune.yaml", ".safetensors"}},
	} {
		r := eegprune(t, dir, c.args...)
		if r.code != 2 {
			t.Errorf("eegprune %s: exit code %d, want 2: %s", strings.Join(c.args, " "), r.code, r.stderr)
		}
		oneSentence(t, r, c.words...)
		if r.stdout != "" {
			t.Errorf("eegprune %s writes to standard output: %s", strings.Join(c.args, " "), r.stdout)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("a call that was refused left something behind")
	}
}

// edit changes a file of a directory.
func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, change(b), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func edfFiles(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "recordings", "*.edf"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	return all
}

func TestBadRecordings(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		words []string
	}{
		"missing directory": {func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "recordings")); err != nil {
				t.Fatal(err)
			}
		}, []string{"recordings"}},
		"empty directory": {func(t *testing.T, dir string) {
			for _, f := range append(edfFiles(t, dir), filepath.Join(dir, "recordings", "eegprune.yaml")) {
				if err := os.Remove(f); err != nil {
					t.Fatal(err)
				}
			}
		}, []string{"recordings"}},
		"truncated": {func(t *testing.T, dir string) {
			edit(t, edfFiles(t, dir)[1], func(b []byte) []byte { return b[:len(b)/32] })
		}, []string{"02.edf", "record"}},
		"cut in the header": {func(t *testing.T, dir string) {
			edit(t, edfFiles(t, dir)[0], func(b []byte) []byte { return b[:100] })
		}, []string{"01.edf"}},
		"not an EDF file": {func(t *testing.T, dir string) {
			edit(t, edfFiles(t, dir)[0], func(b []byte) []byte { return bytes.Repeat([]byte("no "), 1000) })
		}, []string{"01.edf"}},
		"wrong channel names": {func(t *testing.T, dir string) {
			edit(t, edfFiles(t, dir)[0], func(b []byte) []byte { return bytes.Replace(b, []byte("Pz "), []byte("Qz "), 1) })
		}, []string{"recordings/s0", "channels"}},
		"one class": {func(t *testing.T, dir string) {
			for _, f := range edfFiles(t, dir) {
				edit(t, f, func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("positive"), []byte("negative")) })
			}
		}, []string{"class"}},
		"manifest with an unknown key": {func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "recordings", "eegprune.yaml"), func(b []byte) []byte { return append(b, "\nfrobnicate: 1\n"...) })
		}, []string{"eegprune.yaml", "frobnicate"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := recordings(t)
			c.spoil(t, dir)
			r := eegprune(t, dir, quick("run", "--quiet", "--out", "study")...)
			if r.code != 1 {
				t.Errorf("exit code %d, want 1: %s", r.code, r.stderr)
			}
			oneSentence(t, r, c.words...)
			if _, err := os.Stat(filepath.Join(dir, "study")); err == nil && len(files(t, filepath.Join(dir, "study"))) > 0 {
				t.Errorf("files were left behind: %v", files(t, filepath.Join(dir, "study")))
			}
		})
	}
}

func TestBadCheckpoints(t *testing.T) {
	dir := recordings(t)
	must(t, dir, quick("train", "--out", "study", "--fold", "1")...)
	good := filepath.Join(dir, "study/checkpoints/fbccnn-fold01-unpruned.safetensors")
	b, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"cut.safetensors":     b[:len(b)-100],
		"short.safetensors":   b[:5],
		"huge.safetensors":    append([]byte{255, 255, 255, 255, 255, 255, 255, 127}, b[8:]...),
		"other.safetensors":   bytes.Replace(b, []byte(`,"block1.0.weight":{`), []byte(`,"block9.0.weight":{`), 1),
		"damaged.safetensors": bytes.Replace(b, []byte(`\"format\":3`), []byte(`\"format\":7`), 1),
	} {
		if bytes.Equal(data, b) {
			t.Fatalf("%s is not damaged", name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		r := eegprune(t, dir, "prune", name, "--ratio", "0.5", "--out", "out.safetensors")
		if r.code != 1 {
			t.Errorf("%s: exit code %d, want 1", name, r.code)
		}
		oneSentence(t, r, name)
	}
	r := eegprune(t, dir, "prune", "nowhere.safetensors", "--out", "out.safetensors")
	if r.code != 1 {
		t.Errorf("a checkpoint that is not there: exit code %d, want 1", r.code)
	}
	oneSentence(t, r, "nowhere.safetensors")
	if _, err := os.Stat(filepath.Join(dir, "out.safetensors")); err == nil {
		t.Error("a refused checkpoint made another")
	}

	// Recordings that it was not trained on.
	must(t, dir, "data", "simulate", "--out", "others", "--subjects", "3", "--trials", "2", "--seconds", "8", "--seed", "9")
	r = eegprune(t, dir, "evaluate", "--quiet", good, "--data", "others")
	if r.code != 2 {
		t.Errorf("other recordings without --all: exit code %d, want 2", r.code)
	}
	oneSentence(t, r, "--all")
	must(t, dir, "evaluate", good, "--data", "others", "--all")
	r = eegprune(t, dir, "evaluate", "--quiet", good, "--data", "others", "--all", "--bands", "alpha=8-14")
	if r.code != 1 {
		t.Errorf("a network of other data: exit code %d, want 1", r.code)
	}
	oneSentence(t, r, "fbccnn-fold01-unpruned.safetensors", "[4 9 9]", "[1 9 9]")
}

func TestNoLibtorch(t *testing.T) {
	dir := recordings(t)
	must(t, dir, quick("run", "--out", "study")...)
	t.Setenv("EEGPRUNE_SHIM", filepath.Join(dir, "nowhere.so"))
	for _, args := range [][]string{{"--help"}, {"version"}, {"inspect", "study"}, {"inspect", "recordings/eegprune.yaml", "--help"},
		{"inspect", "study/checkpoints/fbccnn-fold01-lfp0.4-pruned.safetensors"}, {"data", "simulate", "--out", "more", "--seconds", "4", "--subjects", "2"}} {
		must(t, dir, args...)
	}
	r := eegprune(t, dir, quick("run", "--out", "new")...)
	if r.code != 1 {
		t.Errorf("exit code %d without libtorch, want 1", r.code)
	}
	oneSentence(t, r, "libtorch", "nowhere.so", "make build")
	if r = eegprune(t, dir, "doctor"); r.code != 1 || !strings.Contains(r.stdout, "make build") {
		t.Errorf("doctor without libtorch: exit code %d, says %s", r.code, r.stdout)
	}
}

// A disk of 10 MB holds the first checkpoint of 8.5 MB but not the second.
func TestDiskFull(t *testing.T) {
	dir := recordings(t)
	full := filepath.Join(dir, "disk")
	if err := os.Mkdir(full, 0o755); err != nil {
		t.Fatal(err)
	}
	args := strings.Join(quick("run", "--quiet", "--out", "disk", "--jobs", "1"), " ")
	c := exec.Command("unshare", "--map-root-user", "--mount", "sh", "-c",
		"mount -t tmpfs -o size=10m tmpfs disk && { "+program+" "+args+"; code=$?; ls -R disk >listing; "+
			"mount -o remount,size=100m disk && "+program+" "+args+" >again || exit 99; exit $code; }")
	c.Dir = dir
	r := finish(t, c)
	if r.code != 1 {
		t.Errorf("exit code %d, want 1: %s", r.code, r.stderr)
	}
	oneSentence(t, r, "disk/", "no space left", "make room")
	listing, err := os.ReadFile(filepath.Join(dir, "listing"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(listing), ".safetensors"); n != 1 {
		t.Errorf("the full disk has %d checkpoints, want the 1 that fits and no half of another:\n%s", n, listing)
	}
	again, err := os.ReadFile(filepath.Join(dir, "again"))
	if err != nil || !strings.Contains(string(again), "fine-tuned") {
		t.Errorf("with room the run does not go on: %v\n%s", err, again)
	}
}
