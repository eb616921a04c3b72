package models_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// TestDamagedGraphsAreErrors changes graphs that PyTorch exported in single places: each becomes an
// error, or a network, and never a panic.
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

// TestTrainedFilesSaySo: statistics that a class moved while it was made are no training, those of an
// epoch are, as are scales that differ.
func TestTrainedFilesSaySo(t *testing.T) {
	const file = "pt2/testdata/cnn.2.15.pt2"
	for _, c := range []struct {
		tensor  string
		values  []float32
		batches int64
		trained string
	}{
		{"bn.running_var", []float32{1, 1, 2, 1}, 1, ""},
		{"bn.running_var", []float32{1, 1, 2, 1}, 30, "bn.running_var"},
		{"bn.running_mean", []float32{0, 0, 0.5, 0}, 30, "bn.running_mean"},
		{"bn.weight", []float32{1, 1, 1.25, 1}, 0, "bn.weight"},
		{"bn.weight", []float32{1, 1, 1, 1}, 0, ""},
	} {
		n, _, err := models.OpenExported(file, torch.CPU)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Free()
		put(t, n.Tensor(c.tensor), c.values, len(c.values))
		put(t, n.Tensor("bn.num_batches_tracked"), []int64{c.batches})
		path := filepath.Join(t.TempDir(), "net.pt2")
		if err := n.SaveExported(path, nil); err != nil {
			t.Fatal(err)
		}
		_, err = models.ReadExported(path, "")
		if (err == nil) != (c.trained == "") || err != nil && !strings.Contains(err.Error(), c.trained) {
			t.Errorf("%+v: error %v", c, err)
		}
	}
	for start, want := range map[models.Start]string{
		models.AsDrawn:  "as PyTorch's layers draw them: 5 tensors; constant: bn.weight, bn.bias",
		models.AsInFile: "those of the file",
	} {
		a, err := models.ReadExported(file, start)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Fresh(); got != want {
			t.Errorf("%s: %q, want %q", start, got, want)
		}
	}
}

func put[T torch.Element](t *testing.T, to *torch.Tensor, v []T, shape ...int) {
	t.Helper()
	x, err := torch.FromSlice(v, shape...)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Free()
	if err := to.CopyFrom(x); err != nil {
		t.Fatal(err)
	}
}

func damage(t *rapid.T, a *models.Arch) {
	sizes := rapid.SampledFrom([]int{-9, -2, -1, 0, 1, 2, 3, 7, 40, 1 << 62})
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
