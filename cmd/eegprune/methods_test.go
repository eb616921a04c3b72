//go:build slow

package main_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
)

// The commands of single steps do the same as a study: every method, every way to recover,
// with all options of the choice. Methods are tried on the first network that they mean
// something on.
func TestSingleStepsFindWhatTheStudyFinds(t *testing.T) {
	left := prune.Methods()
	for _, of := range []struct {
		model  string
		config models.Config
	}{{"eegnet", models.Config{Input: [3]int{1, 32, 128}, Classes: 2, Rate: 128}}, {"fbccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2}}} {
		arch, err := models.Build(of.model, of.config)
		if err != nil {
			t.Fatal(err)
		}
		var methods []string
		var rest []prune.Method
		for _, m := range left {
			if err := m.Fits(arch); err != nil {
				rest = append(rest, m)
				continue
			}
			methods = append(methods, m.Name)
		}
		left = rest
		t.Run(of.model, func(t *testing.T) { singleSteps(t, of.model, methods) })
	}
	if len(left) > 0 {
		t.Errorf("%d methods fit none of the networks, the first of them %s", len(left), left[0].Name)
	}
}

func singleSteps(t *testing.T, model string, methods []string) {
	dir := recordings(t)
	choice := []string{"--target", "macs=0.3", "--prune", "linear", "--min-channels", "2", "--round-to", "2"}
	flags := []string{"run", "--data", "recordings", "--model", model, "--clip", "1", "--folds", "2", "--epochs", "2", "--batch", "16", "--out", "study",
		"--recover", "fine-tune,scratch,scratch-b,uniform", "--distill", "0.5"}
	for _, m := range methods {
		flags = append(flags, "--method", m)
	}
	must(t, dir, append(flags, choice...)...)
	s := read(t, filepath.Join(dir, "study"))
	sparse := 0
	results := map[result.Cell]result.Result{}
	for _, r := range s.Results {
		results[r.Cell] = r
		if r.Stage == result.Sparse {
			sparse++
		}
	}
	once := 0 // methods with a training for all ratios
	for _, m := range methods {
		if training := prune.TrainingFor(m); training != nil && !training.Prunes {
			once++
		}
	}
	if want := 2 + 2 + sparse + 2*len(methods)*5; len(s.Results) != want || sparse != 2*once {
		t.Fatalf("%d results, %d of them sparsity-trained; want %d", len(s.Results), sparse, want)
	}
	unpruned := "study/checkpoints/" + model + "-fold01-unpruned.safetensors"
	whole := results[result.Cell{Variant: result.Variant{Model: model, Stage: result.Unpruned}, Fold: 1}]
	type said struct{ Test *result.Score }
	scored := func(args ...string) result.Score {
		t.Helper()
		var o said
		if err := json.Unmarshal([]byte(must(t, dir, append(args, "--json", "--quiet")...).stdout), &o); err != nil || o.Test == nil {
			t.Fatalf("%v: %v", args, err)
		}
		return *o.Test
	}
	same := func(c result.Cell, got result.Score) {
		t.Helper()
		if d := cmp.Diff(results[c].Test, got); d != "" {
			t.Errorf("%s %s: the single step finds otherwise (-study +step):\n%s", c.Method, c.Stage, d)
		}
	}
	for _, m := range methods {
		pruned := result.Cell{Variant: result.Variant{Model: model, Stage: result.Pruned, Method: m, Ratio: 0.3}, Fold: 1}
		r, found := results[pruned]
		if !found {
			t.Fatalf("%s has no result", m)
		}
		left := r.Size.MACs
		if r.Size.NonzeroMACs > 0 {
			left = r.Size.NonzeroMACs
		}
		// Soft pruning chooses by one network and removes from another, of the same widths.
		if saved := 1 - float64(left)/float64(whole.Size.MACs); saved < 0.3 {
			t.Errorf("%s saves %.3f of the MACs, 0.3 were asked for", m, saved)
		}
		from := unpruned
		method, err := prune.ByName(m)
		if err != nil {
			t.Fatal(err)
		}
		switch training := method.Training; {
		case training != nil && !training.Prunes:
			from = "study/checkpoints/" + model + "-fold01-" + m + "-sparsity-trained.safetensors"
		case training != nil:
			same(pruned, scored("evaluate", filepath.Join("study", r.Checkpoint)))
			continue // which is done in training
		}
		must(t, dir, append([]string{"prune", from, "--method", m, "--out", m + ".safetensors"}, choice...)...)
		same(pruned, scored("evaluate", m+".safetensors"))
		if m != "lfp" && m != "uwmp" {
			continue
		}
		for how, stage := range map[string]string{"fine-tune": result.FineTuned, "scratch": result.Scratch, "scratch-b": result.ScratchB, "uniform": result.Uniform} {
			args := []string{"recover", m + ".safetensors", "--how", how, "--out", m + "-" + how + ".safetensors"}
			if how == "fine-tune" {
				args = append(args, "--distill", "0.5", "--teacher", unpruned)
			}
			cell := pruned
			cell.Stage = stage
			same(cell, scored(args...))
		}
	}
	if !slices.Contains(methods, "lfp") {
		return
	}
	// On another fold than the network's own.
	scored("recover", "lfp.safetensors", "--fold", "2", "--epochs", "1", "--out", "other.safetensors")
}
