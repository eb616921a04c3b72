package models_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// TestReferenceForOtherData meets PyTorch's values for other bands, classes, electrodes
// (an odd number among them) and rates. The files are the reference program's output
// for other arguments, without those of TestReference.
func TestReferenceForOtherData(t *testing.T) {
	files, err := filepath.Glob("testdata/other/*.json")
	if err != nil || len(files) != 8 {
		t.Fatalf("%d files (%v), want 8", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			r, arch := loadFile(t, file)
			n := reftest.Network(t, arch)
			reftest.Fill(t, n, r.Key)
			parameters, buffers := described(n)
			if d := cmp.Diff(r.Parameters, parameters); d != "" {
				t.Errorf("parameters (-want +got):\n%s", d)
			}
			if d := cmp.Diff(append([][2]any{}, r.Buffers...), append([][2]any{}, buffers...)); d != "" {
				t.Errorf("buffers (-want +got):\n%s", d)
			}
			x := reftest.Tensor(t, reftest.Ramp(product(r.InputShape), r.InputKey, 2), r.InputShape...)
			y := reftest.Tensor(t, r.Labels, len(r.Labels))
			s := torch.NewScope(torch.NoGrad)
			defer s.Close()
			reftest.CheckLogits(t, "logits", n.Forward(s, x, models.Pass{}), r.LogitsEval, beforeSteps)
			loss := s.CrossEntropy(n.Forward(s, x, models.Pass{Training: true}), y)
			if s.Err() != nil {
				t.Fatal(s.Err())
			}
			checkLoss(t, loss, r.LossTrain, beforeSteps)
			checkCounts(t, r, arch)
		})
	}
}
