package models_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"eegprune/models"
	"eegprune/models/op"
)

// TestDamagedGraphsAreErrors changes graphs that PyTorch exported in single places: what comes of
// them is an error, or a network, and never a panic.
func TestDamagedGraphsAreErrors(t *testing.T) {
	files, err := filepath.Glob("pt2/testdata/[acn]*.pt2")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		whole, err := models.ReadExported(file, models.AsDrawn)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				a := whole.Clone()
				for range rapid.IntRange(1, 3).Draw(rt, "changes") {
					damage(rt, a)
				}
				if a.Check() != nil || a.Regroup() != nil {
					return
				}
				if _, err := a.Count(); err != nil {
					return
				}
				keep := map[string][]int{}
				for _, g := range a.Groups {
					if g.Channels > 1 {
						keep[g.Name] = indices(g.Channels)[1:]
					}
				}
				if small, _, err := a.Cut(keep); err == nil {
					_ = small.Regroup()
				}
			})
		})
	}
}

func damage(t *rapid.T, a *models.Arch) {
	sizes := rapid.SampledFrom([]int{-9, -2, -1, 0, 1, 2, 3, 7, 1 << 20, 1 << 62})
	shape := rapid.SliceOfN(sizes, 0, 5)
	if rapid.IntRange(0, 4).Draw(t, "tensor") == 0 {
		a.Tensors[rapid.IntRange(0, len(a.Tensors)-1).Draw(t, "which")].Shape = shape.Draw(t, "shape")
		return
	}
	n := &a.Nodes[rapid.IntRange(0, len(a.Nodes)-1).Draw(t, "node")]
	names := slices.Sorted(maps.Keys(n.Args))
	if len(names) == 0 { // every argument was taken before
		return
	}
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		n.Gives[rapid.IntRange(0, len(n.Gives)-1).Draw(t, "value")].Shape = shape.Draw(t, "shape")
	case 1:
		delete(n.Args, rapid.SampledFrom(names).Draw(t, "argument"))
	case 2:
		other := a.Nodes[rapid.IntRange(0, len(a.Nodes)-1).Draw(t, "other")]
		n.Op = other.Op
	default:
		n.Args[rapid.SampledFrom(names).Draw(t, "argument")] = rapid.SampledFrom([]any{nil, 0, -1, 3, 1 << 62, []int{}, []int{0, -1}, []int{2, 2, 2, 2, 2}, 0.5, true,
			"constant", op.Ref(a.Tensors[0].Name), []op.Ref{}, []op.Ref{"", op.Input}, op.Size{N: 2, Clips: true}, []op.Size{{N: -3, Clips: true}}, op.Choice("float32")}).Draw(t, "as")
	}
}
