package models_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/models"
)

// TestOldDescriptionsAreThoseOfTheNetworks has descriptions that a version of format 1 wrote of
// pruned networks: read, they are the networks as they are built now, narrowed.
func TestOldDescriptionsAreThoseOfTheNetworks(t *testing.T) {
	files, err := filepath.Glob("testdata/old/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no descriptions (%v)", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var a models.Arch
			if err := json.Unmarshal(b, &a); err != nil {
				t.Fatal(err)
			}
			if err := a.Check(); err != nil {
				t.Fatal(err)
			}
			if err := a.Regroup(); err != nil {
				t.Fatal(err)
			}
			pruned := false
			for i := range a.Groups {
				pruned = pruned || a.Groups[i].Kept != nil
				a.Groups[i].Kept = nil
			}
			if !pruned {
				t.Error("it does not say which channels were kept")
			}
			shapes := models.Shapes{}
			for _, x := range a.Tensors {
				shapes[x.Name] = x.Shape
			}
			want, _, err := models.Infer(shapes, strings.TrimSuffix(filepath.Base(file), ".json"), a.Input)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, &a, sameArch); d != "" {
				t.Errorf("architecture (-built +read):\n%s", d)
			}
		})
	}
}
