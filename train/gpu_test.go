//go:build gpu

package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// gpu is the device of these tests: the first GPU, or the one that EEGPRUNE_TEST_DEVICE names.
func gpu(t *testing.T) torch.Device {
	t.Helper()
	d, err := torch.ParseDevice(cmp.Or(os.Getenv("EEGPRUNE_TEST_DEVICE"), "cuda"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// archOn is a network for made-up clips, with its own dropout or none.
func archOn(t *testing.T, name string, dropout *float64) *models.Arch {
	t.Helper()
	m, err := models.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	c := models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 128, Dropout: dropout}
	if m.Grid {
		c.Input = [3]int{4, 9, 9}
	}
	arch, err := models.Build(name, c)
	if err != nil {
		t.Fatal(err)
	}
	return arch
}

// clipsOn are made-up clips for a network on a device.
func clipsOn(t *testing.T, arch *models.Arch, clips int, device torch.Device) *Data {
	t.Helper()
	g, err := torch.NewGenerator(torch.CPU, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	d, err := madeUp(arch, clips, device, g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Free)
	return d
}

// eachNetwork calls check with the name of each.
func eachNetwork(t *testing.T, check func(t *testing.T, name string)) {
	for _, m := range models.All() {
		t.Run(m.Name, func(t *testing.T) { check(t, m.Name) })
	}
}

// A trained fold holds a training's losses and weights.
type trainedFold struct {
	losses   []float64
	weights  [][]float32
	replayed int
}

// trainFolds trains the folds of d, jobs of them side by side.
func trainFolds(t *testing.T, arch *models.Arch, d *Data, o Options, folds, jobs int) []trainedFold {
	t.Helper()
	device := gpu(t)
	out := make([]trainedFold, folds)
	var group errgroup.Group
	group.SetLimit(jobs)
	clips := d.Y.Shape()[0]
	for fold := range folds {
		group.Go(func() error {
			return device.OnOwnStream(func() error {
				n, g, err := Fresh(arch, nil, device, uint64(fold+1))
				if err != nil {
					return err
				}
				defer n.Free()
				defer g.Free()
				var fit, val []int
				for i := range clips {
					switch {
					case i%folds == fold:
					case i%5 == 4:
						val = append(val, i)
					default:
						fit = append(fit, i)
					}
				}
				h, err := Training{Network: n, Data: d, Fit: fit, Val: val, Options: o, Generator: g}.Run(context.Background())
				if err != nil {
					return fmt.Errorf("fold %d: %w", fold+1, err)
				}
				out[fold].replayed = h.Replayed
				for _, e := range h.Epochs {
					out[fold].losses = append(out[fold].losses, e.Loss, e.ValLoss)
				}
				for _, p := range n.Parameters() {
					w, err := torch.ToSlice[float32](p)
					if err != nil {
						return err
					}
					out[fold].weights = append(out[fold].weights, w)
				}
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Points 1, 2, 5, 7 and 8 of the failures: ten folds at once, with dropout and with recorded
// steps, have the bits of the same folds one after another.
func TestGPUTenFoldsSideBySideHaveTheBitsOfOneAfterAnother(t *testing.T) {
	for _, precision := range []string{"", TF32} {
		t.Run(cmp.Or(precision, "float32"), func(t *testing.T) {
			defer func() {
				if err := torch.AllowTF32(false, false); err != nil {
					t.Error(err)
				}
			}()
			eachNetwork(t, func(t *testing.T, name string) {
				arch := archOn(t, name, nil)
				d := clipsOn(t, arch, 400, gpu(t))
				o := Paper(name)
				o.Epochs, o.BatchSize, o.Milestones, o.Precision = 6, 32, nil, precision
				if err := SetArithmetic(o); err != nil {
					t.Fatal(err)
				}
				alone := trainFolds(t, arch, d, o, 10, 1)
				beside := trainFolds(t, arch, d, o, 10, 10)
				for i := range alone {
					if alone[i].replayed < 20 || beside[i].replayed < 20 {
						t.Errorf("fold %d replayed %d and %d steps, want 20 or more", i+1, alone[i].replayed, beside[i].replayed)
					}
					if !slices.Equal(alone[i].losses, beside[i].losses) {
						t.Errorf("fold %d beside others has the losses %v, alone %v", i+1, beside[i].losses, alone[i].losses)
					}
					for k := range alone[i].weights {
						if !slices.Equal(alone[i].weights[k], beside[i].weights[k]) {
							t.Errorf("fold %d beside others has other bits in parameter %d", i+1, k)
							break
						}
					}
				}
			})
		})
	}
}

// Where a GPU has no room for the set, steps on batches that were copied there are recorded
// and replayed, and lose as much.
func TestGPUDataOnTheHostTrainsTheSame(t *testing.T) {
	eachNetwork(t, func(t *testing.T, name string) {
		arch := archOn(t, name, nil)
		o := Paper(name)
		o.Epochs, o.BatchSize, o.Milestones = 6, 32, nil
		host := clipsOn(t, arch, 400, torch.CPU)
		host.onHost = true
		onGPU, onHost := trainFolds(t, arch, clipsOn(t, arch, 400, gpu(t)), o, 3, 3), trainFolds(t, arch, host, o, 3, 3)
		for i := range onGPU {
			if onHost[i].replayed < 20 {
				t.Errorf("fold %d replayed %d steps, want 20 or more", i+1, onHost[i].replayed)
			}
			for e := 0; e < len(onGPU[i].losses); e += 2 { // those of validation are of other batches
				if onGPU[i].losses[e] != onHost[i].losses[e] {
					t.Errorf("fold %d, epoch %d: the loss is %g, and %g from the host", i+1, e/2+1, onGPU[i].losses[e], onHost[i].losses[e])
				}
			}
		}
	})
}

// With dropout, too: a replay draws the numbers that the step itself would.
func TestGPURecordedStepsAreSteps(t *testing.T) {
	device := gpu(t)
	eachNetwork(t, func(t *testing.T, name string) {
		arch := archOn(t, name, nil)
		d := clipsOn(t, arch, 40, device)
		o := Paper(name)
		o.BatchSize = 16 // the last batch of an epoch is a part of one
		var losses [2][]float64
		var weights [2][][]float32
		for i, record := range []bool{false, true} {
			err := device.OnOwnStream(func() error {
				n, g, err := Fresh(arch, nil, device, 5)
				if err != nil {
					return err
				}
				defer n.Free()
				defer g.Free()
				losses[i], weights[i] = passes(t, n, d, g, o, func(*models.Network) Regimen { return Regimen{} }, record)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(losses[0], losses[1]) {
			t.Errorf("the recorded steps' losses and accuracies are %v, want the bits of %v", losses[1], losses[0])
		}
		for k := range weights[0] {
			if !slices.Equal(weights[0][k], weights[1][k]) {
				t.Fatalf("the recorded steps leave other bits in parameter %d", k)
			}
		}
	})
}

// Point 3: the memory of one training is used again by the next.
func TestGPUTwoHundredShortCellsHoldNoMoreMemory(t *testing.T) {
	device := gpu(t)
	arch := archOn(t, "fbccnn", nil)
	d := clipsOn(t, arch, 100, device)
	o := Paper(arch.Model)
	o.Epochs, o.BatchSize, o.Milestones = 4, 32, nil
	free := func() int64 {
		g, err := torch.DescribeGPU(device.Index())
		if err != nil {
			t.Fatal(err)
		}
		return g.Free
	}
	trainFolds(t, arch, d, o, 20, 4)
	before := free()
	trainFolds(t, arch, d, o, 200, 4)
	// Less than one more step of the network holds.
	if grown := before - free(); grown > 8<<20 {
		t.Errorf("200 cells took %d MiB more than 20", grown>>20)
	}
}

// Point 4: a recording that fails is told, and nothing else is the worse for it.
func TestGPUTrainsAfterARecordingFailed(t *testing.T) {
	device := gpu(t)
	for _, name := range []string{"fbccnn", "ccnn-selu"} {
		t.Run(name, func(t *testing.T) {
			arch := archOn(t, name, nil)
			d := clipsOn(t, arch, 100, device)
			o := Paper(name)
			o.Epochs, o.BatchSize, o.Milestones = 5, 32, nil
			want := trainFolds(t, arch, d, o, 2, 2)
			bad := errors.New("it was given up")
			for what, fail := range map[string]func(tr *trainer, s *torch.Scope) error{
				"given up":       func(*trainer, *torch.Scope) error { return bad },
				"reads a number": func(tr *trainer, _ *torch.Scope) error { _, err := tr.total.loss.Item(); return err },
			} {
				err := device.OnOwnStream(func() error {
					n, g, err := Fresh(arch, nil, device, 9)
					if err != nil {
						return err
					}
					defer n.Free()
					defer g.Free()
					tr, err := newTrainer(context.Background(), Training{Network: n, Data: d, Fit: upTo(32), Options: o, Generator: g})
					if err != nil {
						return err
					}
					defer tr.free()
					s := torch.NewScope(torch.NoGrad)
					defer s.Close()
					rows := s.Index(tr.Fit, device)
					for range warmUp {
						if err := tr.ask(rows, 32); err != nil {
							return err
						}
					}
					_, err = torch.Record(device, []*torch.Generator{tr.dropout}, func() error {
						if err := tr.ask(rows, 32); err != nil {
							return err
						}
						return fail(tr, s)
					})
					if err == nil {
						t.Errorf("%s: the recording went well", what)
					}
					return nil
				})
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
			}
			got := trainFolds(t, arch, d, o, 2, 2)
			for i := range want {
				if !slices.Equal(got[i].losses, want[i].losses) || got[i].replayed != want[i].replayed {
					t.Errorf("fold %d: after recordings that failed the losses are %v, before %v", i+1, got[i].losses, want[i].losses)
				}
			}
		})
	}
}

// Point 6: waiting for one's own work is no error while another records: it is done after.
func TestGPUSynchronizesDuringAnothersRecording(t *testing.T) {
	device := gpu(t)
	recording, waited := make(chan struct{}), make(chan error, 1)
	go func() {
		<-recording
		waited <- device.OnOwnStream(func() error {
			x, err := torch.Full(1, torch.Float32, device, 8)
			if err != nil {
				return err
			}
			defer x.Free()
			_, err = torch.ToSlice[float32](x)
			return cmp.Or(err, device.Synchronize())
		})
	}()
	err := device.OnOwnStream(func() error {
		x, err := torch.Full(1, torch.Float32, device, 8)
		if err != nil {
			return err
		}
		defer x.Free()
		g, err := torch.Record(device, nil, func() error {
			recording <- struct{}{}
			time.Sleep(200 * time.Millisecond) // the other asks meanwhile
			return x.CopyFrom(x)
		})
		g.Free()
		return err
	})
	if err := errors.Join(err, <-waited); err != nil {
		t.Error(err)
	}
}

// Point 12: an evaluation that is recorded, in large batches, has the bits of the same
// batches asked for one by one.
func TestGPUEvaluationsAreRecordedInLargeBatches(t *testing.T) {
	device := gpu(t)
	eachNetwork(t, func(t *testing.T, name string) {
		arch := archOn(t, name, nil)
		d := clipsOn(t, arch, 1000, device)
		err := device.OnOwnStream(func() error {
			n, g, err := Fresh(arch, nil, device, 7)
			if err != nil {
				return err
			}
			defer n.Free()
			defer g.Free()
			v, err := newEvaluator(n, d, upTo(1000))
			if err != nil {
				return err
			}
			defer v.free()
			if v.batch <= EvalBatch {
				t.Errorf("evaluated in batches of %d", v.batch)
			}
			var said [3]Evaluation
			for i := range said {
				if said[i], err = v.evaluate(context.Background()); err != nil {
					return err
				}
			}
			if v.graph == nil {
				t.Error("nothing was recorded")
			}
			if said[0].Loss != said[1].Loss || said[1].Loss != said[2].Loss || !slices.EqualFunc(said[0].Confusion, said[2].Confusion, slices.Equal[[]int]) {
				t.Errorf("evaluations say %+v", said)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestGPUEvaluatesAsTheCPU(t *testing.T) {
	device := gpu(t)
	eachNetwork(t, func(t *testing.T, name string) {
		arch := archOn(t, name, nil)
		d, onGPU := clipsOn(t, arch, 40, torch.CPU), clipsOn(t, arch, 40, device)
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
		want, err := Evaluate(context.Background(), n, d, upTo(40))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Evaluate(context.Background(), moved, onGPU, upTo(40))
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(got.Loss-want.Loss) <= 1e-4*want.Loss) {
			t.Errorf("the loss is %.9g, on the CPU %.9g", got.Loss, want.Loss)
		}
	})
}

// Point 7: a CPU and a GPU round otherwise, and training amplifies that: only the first
// steps are compared, at the tolerance that rounding leaves.
func TestGPUFirstStepsAreTheCPUs(t *testing.T) {
	device := gpu(t)
	none := 0.0 // the devices draw otherwise
	eachNetwork(t, func(t *testing.T, name string) {
		arch := archOn(t, name, &none)
		d, onGPU := clipsOn(t, arch, 40, torch.CPU), clipsOn(t, arch, 40, device)
		o := Paper(name)
		o.BatchSize = 16
		want, err := Losses(context.Background(), arch, o, d, torch.CPU, 5, 3, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Losses(context.Background(), arch, o, onGPU, device, 5, 3, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if !(math.Abs(got[i]-want[i]) <= 1e-4*math.Abs(want[i])) {
				t.Errorf("step %d has the loss %.9g, on the CPU %.9g", i+1, got[i], want[i])
			}
		}
	})
}

// recordedLosses trains a fresh network for some passes over 64 clips in batches of 32, and returns the losses of the steps and
// the trainer, which is freed.
func recordedLosses(t *testing.T, arch *models.Arch, d *Data, device torch.Device, o Options, times int) (losses []float64, r *trainer) {
	t.Helper()
	o.Optimizer, o.LR, o.BatchSize, o.Epochs = "sgd", 0.01, 32, 1
	err := device.OnOwnStream(func() error {
		n, g, err := Fresh(arch, nil, device, 3)
		if err != nil {
			return err
		}
		defer n.Free()
		defer g.Free()
		if r, err = newTrainer(context.Background(), Training{Network: n, Data: d, Fit: upTo(64), Options: o, Generator: g}); err != nil {
			return err
		}
		defer r.free()
		r.lr = o.LR
		for range times {
			more, err := r.losses(context.Background(), 2)
			if err != nil {
				return err
			}
			losses = append(losses, more...)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s, %s: %v", arch.Model, o.Arithmetic(), err)
	}
	return losses, r
}

// Steps whose algorithms cuDNN has timed can be recorded, and are the steps of the others up to rounding.
func TestGPUCuDNNBenchmark(t *testing.T) {
	device := gpu(t)
	arch := archOn(t, "fbccnn", nil)
	d := clipsOn(t, arch, 64, device)
	defer d.Free()
	want, _ := recordedLosses(t, arch, d, device, Options{}, 3)
	t.Cleanup(func() {
		if err := torch.SetCuDNNBenchmark(false); err != nil {
			t.Error(err)
		}
	})
	o := Options{CuDNNBenchmark: true}
	if err := SetArithmetic(o); err != nil {
		t.Fatal(err)
	}
	got, r := recordedLosses(t, arch, d, device, o, 3)
	if r.replayed == 0 {
		t.Error("no step was recorded")
	}
	for i := range want[:2] { // later ones follow what was rounded
		if !(math.Abs(got[i]-want[i]) <= 1e-3*want[i]) {
			t.Errorf("losses %v, without the benchmark %v", got, want)
		}
	}
}

// Each variant agrees with libtorch on the layers of real sizes, its steps can be recorded, and a training
// by it gives the same bits twice.
func TestGPUVariants(t *testing.T) {
	device := gpu(t)
	for _, name := range []string{"ccnn", "fbccnn", "tsception", "eegnet"} {
		arch := archOn(t, name, nil)
		d := clipsOn(t, arch, 64, device)
		defer d.Free()
		for _, variant := range models.VariantNames() {
			once, r := recordedLosses(t, arch, d, device, Options{Variants: variant}, 4)
			again, _ := recordedLosses(t, arch, d, device, Options{Variants: variant}, 4)
			if len(r.trials) > 0 && r.replayed == 0 {
				t.Errorf("%s by %s: no step was recorded", name, variant)
			}
			for _, trial := range r.trials {
				if trial.Refused != "" {
					t.Errorf("%s: %+v", name, trial)
				}
			}
			if !slices.Equal(once, again) {
				t.Errorf("%s by %s: losses %v, then %v", name, variant, once, again)
			}
		}
	}
}
