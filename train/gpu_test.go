//go:build gpu

package train

import (
	"cmp"
	"context"
	"math"
	"os"
	"testing"

	"eegprune/models"
	"eegprune/torch"
)

// gpu is the device of these tests: the first GPU, or what EEGPRUNE_TEST_DEVICE names.
func gpu(t *testing.T) torch.Device {
	t.Helper()
	d, err := torch.ParseDevice(cmp.Or(os.Getenv("EEGPRUNE_TEST_DEVICE"), "cuda"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// onBoth calls check with each network and a batch for it.
func onBoth(t *testing.T, check func(t *testing.T, arch *models.Arch, d *Data)) {
	for _, m := range models.All() {
		t.Run(m.Name, func(t *testing.T) {
			none := 0.0 // the devices draw otherwise
			c := models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 128, Dropout: &none}
			if m.Grid {
				c.Input = [3]int{4, 9, 9}
			}
			arch, err := models.Build(m.Name, c)
			if err != nil {
				t.Fatal(err)
			}
			g, err := torch.NewGenerator(torch.CPU, 3)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Free()
			d, err := madeUp(arch, 40, torch.CPU, g)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Free()
			check(t, arch, d)
		})
	}
}

func TestGPULossesAreTheCPUs(t *testing.T) {
	device := gpu(t)
	onBoth(t, func(t *testing.T, arch *models.Arch, d *Data) {
		o := Paper(arch.Model)
		o.BatchSize = 16 // the last batch of an epoch is a part of one
		want, err := Losses(context.Background(), arch, o, d, torch.CPU, 5, 12)
		if err != nil {
			t.Fatal(err)
		}
		there, err := d.to(device)
		if err != nil {
			t.Fatal(err)
		}
		defer there.Free()
		got, err := Losses(context.Background(), arch, o, there, device, 5, 12)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if !(math.Abs(got[i]-want[i]) <= 1e-3*math.Abs(want[i])) {
				t.Errorf("step %d has the loss %.9g, on the CPU %.9g", i+1, got[i], want[i])
			}
		}
	})
}

func TestGPUEvaluatesAsTheCPU(t *testing.T) {
	device := gpu(t)
	onBoth(t, func(t *testing.T, arch *models.Arch, d *Data) {
		n, g, err := Fresh(arch, nil, torch.CPU, 7)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Free()
		defer g.Free()
		moved, err := n.To(device)
		if err != nil {
			t.Fatal(err)
		}
		defer moved.Free()
		there, err := d.to(device)
		if err != nil {
			t.Fatal(err)
		}
		defer there.Free()
		want, err := Evaluate(context.Background(), n, d, upTo(40))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Evaluate(context.Background(), moved, there, upTo(40))
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(got.Loss-want.Loss) <= 1e-4*want.Loss) {
			t.Errorf("the loss is %.9g, on the CPU %.9g", got.Loss, want.Loss)
		}
	})
}

func TestGPUTrainsFoldsSideBySide(t *testing.T) {
	device := gpu(t)
	onBoth(t, func(t *testing.T, arch *models.Arch, d *Data) {
		there, err := d.to(device)
		if err != nil {
			t.Fatal(err)
		}
		defer there.Free()
		o := Paper(arch.Model)
		o.Epochs, o.BatchSize, o.Milestones = 1, 16, nil
		if _, err := TimeFolds(context.Background(), arch, o, there, device, 4, 4); err != nil {
			t.Error(err)
		}
	})
}

// With dropout, too: a replay draws the numbers that the step itself would.
func TestGPURecordedStepsAreSteps(t *testing.T) {
	device := gpu(t)
	onBoth(t, func(t *testing.T, arch *models.Arch, d *Data) {
		arch, err := models.Build(arch.Model, models.Config{Input: arch.Input, Classes: 2, Rate: 128})
		if err != nil {
			t.Fatal(err)
		}
		there, err := d.to(device)
		if err != nil {
			t.Fatal(err)
		}
		defer there.Free()
		o := Paper(arch.Model)
		o.BatchSize = 16
		var losses [2][]float64
		for i, record := range []bool{false, true} {
			err := device.OnOwnStream(func() error {
				n, g, err := Fresh(arch, nil, device, 5)
				if err != nil {
					return err
				}
				defer n.Free()
				defer g.Free()
				losses[i], _ = passes(t, n, there, g, o, func(*models.Network) Regimen { return Regimen{} }, record)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range losses[0] {
			if got := losses[1][i]; !(math.Abs(got-want) <= 1e-3*math.Abs(want)) {
				t.Errorf("the recorded steps' losses and accuracies are %v, want %v", losses[1], losses[0])
				break
			}
		}
	})
}
