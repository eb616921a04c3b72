package main_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
)

// completions are the shell's completions of the last of these words, and cobra's
// directive.
func completions(t *testing.T, words ...string) (found []string, directive string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(must(t, t.TempDir(), append([]string{"__complete"}, words...)...).stdout), "\n")
	last := len(lines) - 1
	return lines[:last], lines[last]
}

// As the shells' scripts know them: see cobra's ShellCompDirective.
const (
	anyFile     = ":0"
	noFile      = ":4"
	ofEnding    = ":8"
	directories = ":16"
	inOrder     = ":36" // and no file
)

func TestCompletion(t *testing.T) {
	checkpoints := []string{"safetensors", "pt", "pth", "ckpt", "pt2"}
	for _, c := range []struct {
		line      string
		want      []string
		directive string
	}{
		{"train --model ", models.Names(), inOrder},
		{"run --model tscep", []string{"tsception"}, inOrder},
		{"run --method ", prune.MethodNames(), inOrder},
		{"run --method lfp,sf", []string{"lfp,sfp"}, inOrder},
		{"run --method lfp,lf", nil, inOrder},
		{"run --split ", data.SplitNames(), inOrder},
		{"run --recover ", experiment.RecoveryNames(), inOrder},
		{"recover net.safetensors --how ", experiment.RecoveryNames(), inOrder},
		{"run --network ", []string{"pt2"}, ofEnding},
		{"run --init ", models.Starts(), inOrder},
		{"run --data ", nil, directories},
		{"run --epochs ", nil, noFile},
		{"prune ", checkpoints, ofEnding},
		{"prune net.safetensors ", nil, noFile},
		{"predict ", checkpoints, ofEnding},
		{"predict net.safetensors ", nil, anyFile},
		{"study run ", []string{"yaml", "yml"}, ofEnding},
		{"study show ", nil, directories},
		{"study merge one ", nil, directories},
		{"data info ", nil, directories},
		{"data info recordings --manifest ", []string{"yaml", "yml"}, ofEnding},
		{"data simulate --format s", []string{"seed", "seed-iv", "seed-v", "seed-v-features", "seed-vii"}, inOrder},
		{"cite --dataset dre", []string{"dreamer"}, inOrder},
		{"data fetch ", []string{"eegmat", "eegmmidb", "emoeeg-mc", "ds002721", "ds002723", "ds002724"}, noFile},
		{"run ", nil, noFile},
	} {
		found, directive := completions(t, strings.Split(c.line, " ")...)
		if !slices.Equal(found, c.want) && len(found)+len(c.want) > 0 || directive != c.directive {
			t.Errorf("%q is completed by %q %s, want %q %s", c.line, found, directive, c.want, c.directive)
		}
	}
}
