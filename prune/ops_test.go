package prune_test

import (
	"os"
	"path/filepath"
	"testing"

	"encoding/json"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
)

// TestEveryOperationPassesChannelsOnExactly removes channels of a small network around each
// operation: the logits are those of the whole one with their columns in every consumer at zero.
func TestEveryOperationPassesChannelsOnExactly(t *testing.T) {
	files, err := filepath.Glob("../models/testdata/ops/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no networks", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var r struct{ Arch *models.Arch }
			b, err := os.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(b, &r)
			}
			if err == nil {
				err = r.Arch.Regroup()
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Arch.Groups) == 0 {
				t.Errorf("nothing can go: %v", r.Arch.Whole)
			}
			rapid.Check(t, func(rt *rapid.T) {
				n := randomNetwork(rt, t, r.Arch)
				defer n.Free()
				in := r.Arch.Input
				x := reftest.Ramp(3*in[0]*in[1]*in[2], 4, 2)
				keep := randomKeep(rt, r.Arch)
				small, err := prune.Remove(n, keep)
				if err != nil {
					rt.Fatal(err)
				}
				defer small.Free()
				closeTo(rt, "logits", logits(rt, small, x, nil), logits(rt, n, x, holdAtZero(r.Arch, keep)))
			})
		})
	}
}
