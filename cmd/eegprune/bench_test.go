package main_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestBenchTells(t *testing.T) {
	dir := t.TempDir()
	var whole, narrow struct {
		Widths    []struct{ Before, After int }
		MACs      int64
		StepMS    []float64 `json:"step_ms"`
		ForwardMS []float64 `json:"forward_ms"`
	}
	for ratio, into := range map[string]any{"0": &whole, "0.4": &narrow} {
		r := must(t, dir, "bench", "--json", "--device", "cpu", "--model", "fbccnn", "--batch", "2", "--seconds", "0.01", "--ratio", ratio)
		if err := json.Unmarshal([]byte(r.stdout), into); err != nil {
			t.Fatal(err)
		}
	}
	if len(whole.StepMS) < 3 || len(narrow.ForwardMS) < 3 || narrow.MACs >= whole.MACs/2 || narrow.Widths[0].After != 7 {
		t.Errorf("unpruned: %+v\npruned: %+v", whole, narrow)
	}
}

func TestBenchTriesVariants(t *testing.T) {
	dir := t.TempDir()
	var got struct {
		Variants map[string]string
		Trials   []struct {
			Layer, Variant, Refused string
			Off, MS                 float64
		}
	}
	args := []string{"bench", "--device", "cpu", "--model", "tsception", "--batch", "2", "--seconds", "0.01", "--variants"}
	r := must(t, dir, append(args, "windows,mean", "--json")...)
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatal(err)
	}
	if got.Variants["Tception1.1"] != "windows" || got.Variants["Tception1.3"] != "mean" || len(got.Trials) < 6 {
		t.Errorf("%+v", got)
	}
	text := must(t, dir, append(args, "auto")...).stdout
	for _, want := range []string{"Tception1.1 by windows: off by ", "libtorch's", "Sception1.1 by product", "a training step"} {
		if !strings.Contains(text, want) {
			t.Errorf("bench does not say %q:\n%s", want, text)
		}
	}
}

func TestBenchOperations(t *testing.T) {
	r := must(t, t.TempDir(), "bench", "operations", "--json", "--device", "cpu", "--model", "tsception", "--batch", "2", "--variants", "mean")
	var ways [2]struct {
		Variants string
		Taken    map[string]string
		Sum      struct{ Calls, Bytes int }
	}
	d := json.NewDecoder(strings.NewReader(r.stdout))
	for i := range ways {
		if err := d.Decode(&ways[i]); err != nil {
			t.Fatal(err)
		}
	}
	if ways[0].Variants != "" || ways[0].Sum.Calls < 20 || ways[1].Taken["Tception1.3"] != "mean" || ways[1].Sum.Calls <= ways[0].Sum.Calls {
		t.Errorf("%+v", ways)
	}
}

func TestBenchRefuses(t *testing.T) {
	dir := recordings(t)
	must(t, dir, "data", "features", "recordings", "--out", "few.npz")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--ratio", "1.5"}, 2, "--ratio"},
		{[]string{"--batch", "0"}, 2, "--batch"},
		{[]string{"--variants", "windoes"}, 2, "windows"},
		{[]string{"losses", "few.npz", "--model", "resnet"}, 2, "resnet"},
		{[]string{"losses", "few.npz", "--steps", "0"}, 2, "--steps"},
		{[]string{"losses", "few.npz", "--dropout", "1"}, 2, "--dropout"},
		{[]string{"losses", "missing.npz"}, 1, "missing.npz"},
		{[]string{"losses", "few.npz", "--model", "tsception"}, 1, "few.npz"},
		{[]string{"folds", "few.npz", "--folds", "1"}, 2, "--folds"},
		{[]string{"folds", "few.npz", "--folds", "1000"}, 2, "--folds"},
	} {
		r := eegprune(t, dir, append([]string{"bench"}, c.args...)...)
		if r.code != c.code || r.stdout != "" {
			t.Errorf("eegprune bench %s: exit code %d, want %d; says %q %q", strings.Join(c.args, " "), r.code, c.code, r.stdout, r.stderr)
		}
		oneSentence(t, r, c.says)
	}
}
