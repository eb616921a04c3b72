package train

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// TestLossesAreThoseOfTheProgram: of the PyTorch program of TestTrajectory.
func TestLossesAreThoseOfTheProgram(t *testing.T) {
	var file struct {
		Runs []struct {
			Model    string
			Seed     uint64
			Samples  int
			InputKey uint64 `json:"input_key"`
			Losses   []float64
		}
	}
	reftest.ReadJSON(t, "testdata/trajectory.json", &file)
	r := file.Runs[0]
	none := 0.0
	arch, err := models.Build(r.Model, models.Config{Input: [3]int{4, 9, 9}, Classes: 2, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	d := trajectoryData(t, r.Samples, arch.Input, r.InputKey)
	got, err := Losses(context.Background(), arch, Paper(r.Model), d, torch.CPU, r.Seed, 6, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range r.Losses[:6] {
		if math.Abs(got[i]-want) > 1e-4*want { // for any version of libtorch
			t.Errorf("step %d has the loss %.9g, want %.9g", i, got[i], want)
		}
	}
}

func TestBenchmarksEnd(t *testing.T) {
	none := 0.0
	arch, err := models.Build("eegnet", models.Config{Input: [3]int{1, 4, 64}, Classes: 2, Rate: 64, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	d, err := madeUp(arch, 24, torch.CPU, g)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Free()
	o := Paper("eegnet")
	o.Epochs, o.Milestones = 1, nil
	if took, err := TimeFolds(context.Background(), arch, o, d, torch.CPU, 3, 2); err != nil || took <= 0 {
		t.Errorf("3 folds took %v, %v", took, err)
	}
	steps, err := TimeSteps(context.Background(), arch, o, 8, torch.CPU, 1)
	if err != nil || len(steps.Each) != 3 {
		t.Errorf("steps took %v, %v; want 3 of them", steps, err)
	}
	passes, err := TimeForward(context.Background(), arch, 8, torch.CPU, 1)
	if err != nil || len(passes.Each) != 3 {
		t.Errorf("passes took %v, %v; want 3 of them", passes, err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Losses(ended, arch, o, d, torch.CPU, 1, 2, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gives %v", err)
	}
}
