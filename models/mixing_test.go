package models_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// TestMixedClips: a network whose clips are mixed is told of when it is opened, and no other.
func TestMixedClips(t *testing.T) {
	files, err := filepath.Glob("pt2/testdata/[achnv]*.pt2")
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, model := range models.Names() {
		input := [3]int{4, 9, 9}
		if m, err := models.ByName(model); err == nil && !m.Grid {
			input = [3]int{1, 6, 600}
		}
		a, err := models.Build(model, models.Config{Input: input, Classes: 2, Rate: 64})
		if err != nil {
			t.Fatal(err)
		}
		for name, a := range map[string]*models.Arch{"plain." + model: a, "mixed." + model: reftest.Mixed(a)} {
			n := reftest.Network(t, a)
			reftest.Fill(t, n, 3)
			files = append(files, filepath.Join(t.TempDir(), name+".pt2"))
			if err := n.SaveExported(files[len(files)-1], nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, file := range files {
		n, m, err := models.OpenExported(file, torch.CPU)
		if err != nil {
			t.Fatal(err)
		}
		told := false
		for _, note := range m.Notes {
			told = told || strings.Contains(note.What, "batch_first")
		}
		if want := strings.HasPrefix(filepath.Base(file), "mixed."); told != want {
			t.Errorf("%s: it is said to mix clips: %v, want %v", file, told, want)
		}
		n.Free()
	}
}
