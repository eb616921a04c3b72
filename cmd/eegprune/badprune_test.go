package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// foreign writes the tensors of a checkpoint as another program would.
func foreign(t *testing.T, from, to string) {
	t.Helper()
	all, _, err := torch.LoadSafetensors(from)
	if err != nil {
		t.Fatal(err)
	}
	defer torch.FreeAll(all)
	var named []torch.Named
	for name, x := range all {
		named = append(named, torch.Named{Name: name, Tensor: x})
	}
	if err := torch.SaveSafetensors(to, named, nil); err != nil {
		t.Fatal(err)
	}
}

func TestBadPruning(t *testing.T) {
	t.Parallel()
	dir := recordings(t)
	must(t, dir, "train", "--data", "recordings", "--model", "fbccnn,eegnet", "--clip", "1", "--folds", "2", "--epochs", "1", "--batch", "16", "--out", "study")
	const unpruned = "study/checkpoints/fbccnn-fold01-unpruned.safetensors"
	foreign(t, filepath.Join(dir, unpruned), filepath.Join(dir, "foreign.safetensors"))
	for name, text := range map[string]string{
		"unknown.yaml": "block5.0: 0.7\nblok5.0: 0.5\n", "text.yaml": "block1.0: 0.5\nblock5.0: much\n", "one.yaml": "block5.0: 1\n", "list.yaml": "- block5.0\n",
		"empty.yaml": "", "twice.yaml": "block5.0: 0.7\nblock5.0: 0.6\n", "open.yaml": "block5.0: [1\n",
	} {
		writeText(t, filepath.Join(dir, name), text)
	}
	meta, err := models.ReadMeta(filepath.Join(dir, unpruned))
	if err != nil {
		t.Fatal(err)
	}
	one := []string{"sensitivity", unpruned, "--exclude"}
	for i, g := range meta.Arch.Groups {
		if i > 0 {
			one = append(one[:3], strings.TrimPrefix(strings.Join(append(one[3:], g.Name), ","), ","))
		}
	}
	prune := func(more ...string) []string { return append([]string{"prune", unpruned, "--out", "x"}, more...) }
	for _, c := range []struct {
		args  []string
		code  int
		words []string
	}{
		{prune("--target", "macs=0.9999"), 1, []string{unpruned, "99.99 % of the macs", "can't be saved"}},
		{prune("--target", "parameters=0.6", "--min-channels", "100"), 1, []string{unpruned, "60 % of the parameters", "ask for less"}},
		{prune("--target", "macs=1"), 2, []string{"--target", "outside [0, 1)"}},
		{prune("--target", "macs"), 2, []string{"--target", "macs=0.643"}},
		{prune("--target", "macs=some"), 2, []string{"--target", "some"}},
		{prune("--target", "watts=0.5"), 2, []string{"watts", "filters, parameters or macs"}},
		{prune("--target", "macs=0.5", "--ratio", "0.5"), 2, []string{"--target", "--ratio"}},
		{prune("--ratio", "0.3,0.5"), 2, []string{"one network"}},
		{prune("--method", "lfp,fpgm"), 2, []string{"one network"}},
		{prune("--scope", "galaxy"), 2, []string{"galaxy", "global or layer"}},
		{prune("--prune", "branches"), 2, []string{"--prune", "branches", "linear"}},
		{prune("--min-channels", "0"), 2, []string{"--min-channels 0"}},
		{prune("--exclude", "nowhere"), 1, []string{"nowhere", "block7.0"}},
		{prune("--layer-ratios", "unknown.yaml"), 1, []string{"blok5.0", "block7.0"}},
		{prune("--layer-ratios", "text.yaml"), 1, []string{"text.yaml:2:11", "a number", "much", "block5.0: 0.7"}},
		{prune("--layer-ratios", "one.yaml"), 1, []string{"one.yaml", "block5.0", "outside [0, 1)"}},
		{prune("--layer-ratios", "list.yaml"), 1, []string{"list.yaml:1:1", "block5.0: 0.7"}},
		{prune("--layer-ratios", "empty.yaml"), 1, []string{"empty.yaml", "block5.0: 0.7"}},
		{prune("--layer-ratios", "twice.yaml"), 1, []string{"twice.yaml:2:1", "block5.0"}},
		{prune("--layer-ratios", "open.yaml"), 1, []string{"open.yaml:1:"}},
		{prune("--layer-ratios", "nowhere.yaml"), 1, []string{"nowhere.yaml"}},
		{[]string{"prune", "foreign.safetensors", "--out", "x", "--quiet", "--method", "taylor"}, 2, []string{"--data"}},
		{[]string{"prune", "foreign.safetensors", "--out", "x", "--quiet", "--method", "taylor", "--data", "recordings"}, 1, []string{"foreign.safetensors", "fold"}},
		{prune("--method", "taylor", "--data", "recordings", "--bands", "alpha=8-14"), 1, []string{"[4 9 9]", "[1 9 9]"}},
		{quick("run", "--quiet", "--model", "ccnn", "--method", "nsfp", "--out", "y"), 1, []string{"nsfp", "ccnn has no BatchNorm", "lfp"}},
		{quick("run", "--quiet", "--model", "fbccnn,fbccnn", "--out", "y"), 1, []string{"fbccnn", "twice"}},
		{quick("savings", "--quiet", "--out", "y", "--test", "wilcoxon"), 1, []string{"Wilcoxon over 2 folds", "at least 5 folds", "corrected t"}},
		{quick("savings", "--quiet", "--out", "y", "--step", "0"), 2, []string{"step"}},
		{quick("savings", "--quiet", "--out", "y", "--most", "1"), 2, []string{"below 1"}},
		{quick("sweep", "--quiet", "--out", "y", "--ratio", "0.5,1"), 2, []string{"--ratio", "outside [0, 1)"}},
		{one, 1, []string{"of fbccnn lfp prunes block1.0 only", "sweep"}},
		{[]string{"sensitivity", "study"}, 2, []string{"several networks", "fbccnn, eegnet"}},
		{[]string{"sensitivity", unpruned, "study/checkpoints/eegnet-fold02-unpruned.safetensors"}, 1, []string{"not of one study"}},
		{[]string{"sensitivity", "study", unpruned}, 2, []string{"study is a directory"}},
		{[]string{"sensitivity", "recordings"}, 1, []string{"recordings", "result.json"}},
		{[]string{"sensitivity", unpruned, "--ratio", "1"}, 2, []string{"outside [0, 1)"}},
		{[]string{"sensitivity", unpruned, "--on", "training"}, 2, []string{"training", "validation or test"}},
		{[]string{"sensitivity", "foreign.safetensors", "--data", "recordings", "--quiet"}, 1, []string{"foreign.safetensors", "fold"}},
		{[]string{"sensitivity", unpruned, "--data", "recordings", "--bands", "alpha=8-14"}, 1, []string{"[4 9 9]", "[1 9 9]"}},
		{[]string{"recover", unpruned, "--out", "x", "--distill", "0.5"}, 2, []string{"--distill", "--teacher"}},
		{[]string{"recover", unpruned, "--out", "x", "--distill", "2", "--teacher", unpruned}, 2, []string{"outside [0, 1]"}},
		{[]string{"recover", unpruned, "--out", "x", "--quiet", "--distill", "0.5", "--teacher", "study/checkpoints/eegnet-fold01-unpruned.safetensors"}, 1, []string{"eegnet-fold01"}},
		{[]string{"recover", unpruned, "--out", "x", "--fold", "3"}, 1, []string{"no fold 3", "2 folds"}},
		{[]string{"recover", unpruned, "--out", "x", "--quiet", "--how", "scratch-b", "--lr", "1e9"}, 1, []string{"diverged", "lower the learning rate"}},
		{[]string{"recover", "foreign.safetensors", "--out", "x", "--quiet", "--how", "uniform", "--data", "recordings"}, 2, []string{"--fold"}},
		{[]string{"compare", "recordings"}, 1, []string{"recordings has no result.json"}},
		{[]string{"report", "recordings"}, 1, []string{"recordings has no result.json"}},
	} {
		r := eegprune(t, dir, c.args...)
		if oneSentence(t, r, c.words...); r.code != c.code {
			t.Errorf("eegprune %s: exit code %d, want %d", strings.Join(c.args, " "), r.code, c.code)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("a call that was refused left a network behind")
	}
	if _, err := os.Stat(filepath.Join(dir, "y", "cells")); err == nil {
		t.Error("a call that was refused began a study")
	}
	if text := must(t, dir, "compare", "study").stdout; strings.Contains(text, "NaN") {
		t.Errorf("compare says of a study without pruning\n%s", text)
	}
}

// Masks are of the network that they stand beside.
func TestMasksThatDoNotFit(t *testing.T) {
	t.Parallel()
	dir := recordings(t)
	must(t, dir, "train", "--data", "recordings", "--model", "eegnet", "--clip", "1", "--folds", "2", "--epochs", "1", "--batch", "16", "--fold", "1", "--out", "study")
	must(t, dir, "prune", "study/checkpoints/eegnet-fold01-unpruned.safetensors", "--method", "uwmp", "--ratio", "0.5", "--out", "masked.safetensors")
	b, err := os.ReadFile(filepath.Join(dir, "masked.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	// Changes keep the length, which stands before the description.
	replace := func(pattern, by string) []byte {
		at := regexp.MustCompile(pattern).FindSubmatchIndex(b)
		if at == nil || at[3]-at[2] != len(by) {
			t.Fatalf("%s is not in the checkpoint, or not as long as %s", pattern, by)
		}
		return append(append(bytes.Clone(b[:at[2]]), by...), b[at[3]:]...)
	}
	name := regexp.MustCompile(`\\"masks\\":\{\\"([^\\]+)\.weight\\":\{\\"len\\":(\d+)`).FindSubmatch(b)
	if name == nil {
		t.Fatal("the checkpoint has no masks")
	}
	other := string(name[1][:len(name[1])-1]) + "~"
	for what, c := range map[string]struct {
		data  []byte
		words []string
	}{
		"longer":     {replace(`\\"masks\\":\{\\"[^\\]+\\":\{\\"len\\":(\d)`, "9"), []string{"a mask of 9"}},
		"no such":    {replace(`\\"masks\\":\{\\"([^\\]+)\.weight`, other), []string{"mask", other, "no such parameter"}},
		"not base64": {replace(`\\"bits\\":\\"(.)`, "?"), []string{"mask"}},
		"newer":      {replace(`\\"format\\":(\d)`, "9"), []string{"format 9", "use the version that wrote it"}},
	} {
		file := strings.ReplaceAll(what, " ", "-") + ".safetensors"
		write(t, filepath.Join(dir, file), c.data)
		for _, args := range [][]string{{"evaluate", file, "--quiet"}, {"prune", file, "--out", "x", "--quiet"}, {"recover", file, "--out", "x", "--quiet", "--epochs", "1"}, {"inspect", file}} {
			r := eegprune(t, dir, args...)
			if args[0] == "inspect" && r.code == 0 {
				continue // which looks at the description alone
			}
			if oneSentence(t, r, append(c.words, file)...); r.code != 1 {
				t.Errorf("%v: exit code %d, want 1", args, r.code)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
			t.Errorf("%s: a refused checkpoint made another", what)
		}
		_ = os.Remove(filepath.Join(dir, "x"))
	}
}
