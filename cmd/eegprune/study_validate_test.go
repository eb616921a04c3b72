package main_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestValidateSaysAllFaults(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("EEGPRUNE_SHIM", filepath.Join(dir, "no-shim.so")) // it needs no libtorch
	writeText(t, filepath.Join(dir, "study.yaml"), `name: bad
sede: 1
data: {dir: nowhere}
split: {foldz: 2}
networks:
  - model: eegnett
    features: {second: 1}
    train: &t {epochs: many, batchsize: 16}
  - model: tsception
    train: *t
prune: {methods: [lfp, magic], ratios: [0.5, x]}
recover: [pray, fine-tune]
`)
	r := eegprune(t, dir, "study", "validate", "study.yaml")
	if oneSentence(t, r, "study.yaml has 10 faults"); r.code != 2 {
		t.Errorf("exit code %d, want 2", r.code)
	}
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	want := [][2]string{
		{"study.yaml:2:1: ", "did you mean seed?"}, {"study.yaml:3:13: ", "nowhere"}, {"study.yaml:4:9: ", "did you mean folds?"},
		{"study.yaml:6:12: ", "eegnett"}, {"study.yaml:7:16: ", "did you mean seconds?"}, {"study.yaml:8:24: ", "a whole number"},
		{"study.yaml:8:30: ", "did you mean batch_size?"}, {"study.yaml:11:24: ", "magic"}, {"study.yaml:11:46: ", `not "x"`}, {"study.yaml:12:11: ", "pray"},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d faults, want %d:\n%s", len(lines), len(want), r.stdout)
	}
	for i, w := range want {
		if !strings.HasPrefix(lines[i], w[0]) || !strings.Contains(lines[i], w[1]) {
			t.Errorf("fault %d is %q, want %q with %q", i+1, lines[i], w[0], w[1])
		}
	}

	// Values that are of the right type and can't be meant.
	writeText(t, filepath.Join(dir, "study.yaml"), `networks:
  - model: eegnet
    train: {epochs: 0}
  - model: tsception
    fine_tune: {optimizer: magic}
prune: {methods: [lfp], ratios: [0.5, 1.5, -1]}
`)
	r = eegprune(t, dir, "study", "validate", "study.yaml", "--json")
	var out struct{ Faults []string }
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || r.code != 2 || len(out.Faults) != 4 {
		t.Errorf("exit code %d, %v, %d faults, want 2 and 4: %s", r.code, err, len(out.Faults), r.stdout)
	}

	for name, text := range map[string]string{"an alias in itself": "networks: &a [*a]\n", "nothing": "", "a list": "- 1\n", "not YAML": "networks: [\n", "a key twice": "seed: 1\nseed: 2\nnetworks: [{model: eegnet}]\n"} {
		writeText(t, filepath.Join(dir, "study.yaml"), text)
		r := eegprune(t, dir, "study", "validate", "study.yaml")
		if oneSentence(t, r, "study.yaml"); r.code != 2 {
			t.Errorf("%s: exit code %d, want 2", name, r.code)
		}
	}
}

func TestValidateSaysWhatWouldRun(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("EEGPRUNE_SHIM", filepath.Join(dir, "no-shim.so"))
	writeText(t, filepath.Join(dir, "study.yaml"), small)
	// Unpruned, trained on, pruned and fine-tuned: the cells of a fold that "study run" does.
	text := must(t, dir, "study", "validate", "study.yaml").stdout
	for _, w := range []string{"eegnet: the usual split, 2 folds, 4 cells in each", "tsception: the usual split, 2 folds, 4 cells in each", "lfp at 0.5; then fine-tuned", "seeds: 1"} {
		if !strings.Contains(text, w) {
			t.Errorf("it does not say %q:\n%s", w, text)
		}
	}
	for _, f := range []string{"eegmat", "eegmat-gpu", "paper-deap", "paper-seed", "simulated-deap"} {
		path, err := filepath.Abs(filepath.Join("..", "..", "studies", f+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		must(t, dir, "study", "validate", path)
	}
}
