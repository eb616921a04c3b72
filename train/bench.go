package train

import (
	"cmp"
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/eegprune/eegprune/internal/meter"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// forTiming is a fresh network and one made-up batch for it.
type forTiming struct {
	network *models.Network
	data    *Data
	g       *torch.Generator
}

func prepare(arch *models.Arch, batch int, device torch.Device) (forTiming, error) {
	n, g, err := Fresh(arch, nil, device, 1)
	if err != nil {
		return forTiming{}, err
	}
	d, err := madeUp(arch, batch, device, g)
	if err != nil {
		n.Free()
		g.Free()
		return forTiming{}, err
	}
	return forTiming{n, d, g}, nil
}

func (f forTiming) free() {
	f.network.Free()
	f.data.Free()
	f.g.Free()
}

// Times are the times of repetitions, in milliseconds: each by the clock, and the mean of the process's
// CPU time, which other programs on the machine change less.
type Times struct {
	Each []float64
	CPU  float64
	// Of training steps: the variants that layers took, and what was tried.
	Variants models.Variants
	Trials   []Trial
}

// repeat does something for about the time given, at least three times, and before as often
// as it takes until algorithms are chosen and steps recorded.
func repeat(ctx context.Context, device torch.Device, length time.Duration, do func() error) (Times, error) {
	var t Times
	err := device.OnOwnStream(func() error {
		once := func() error {
			if err := errors.Join(ctx.Err(), do()); err != nil {
				return err
			}
			return device.Synchronize()
		}
		before := 1
		if device.IsCUDA() {
			before = warmUp + 1
		}
		for range before {
			if err := once(); err != nil {
				return err
			}
		}
		m := meter.New(meter.NoGPU)
		defer m.Close()
		span := m.Start(meter.Process)
		for start := time.Now(); len(t.Each) < 3 || time.Since(start) < length; {
			began := time.Now()
			if err := once(); err != nil {
				return err
			}
			t.Each = append(t.Each, time.Since(began).Seconds()*1e3)
		}
		t.CPU = span.Stop().CPU.Seconds() * 1e3 / float64(len(t.Each))
		return nil
	})
	return t, err
}

// TimeSteps trains a fresh network on one made-up batch for about the time given and
// returns the times of the steps.
func TimeSteps(ctx context.Context, arch *models.Arch, o Options, batch int, device torch.Device, length time.Duration) (Times, error) {
	f, err := prepare(arch, batch, device)
	if err != nil {
		return Times{}, err
	}
	defer f.free()
	o.BatchSize = batch
	t, err := newTrainer(ctx, Training{Network: f.network, Data: f.data, Fit: upTo(batch), Options: o, Generator: f.g})
	if err != nil {
		return Times{}, err
	}
	defer t.free()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	rows := s.Index(t.Fit, device)
	if err := s.Err(); err != nil {
		return Times{}, err
	}
	t.lr = o.LR
	times, err := repeat(ctx, device, length, func() error { return t.step(rows, batch) })
	times.Variants, times.Trials = f.network.Variants(), t.trials
	return times, err
}

// CountStep counts the operations of libtorch and the launches of eegprune's own kernels that a training step on a
// GPU takes, and the bytes that they read and write: on a CPU by the same operations. Each operation is about one launch.
func CountStep(ctx context.Context, arch *models.Arch, o Options, batch int, device torch.Device) (torch.Tally, models.Variants, error) {
	f, err := prepare(arch, batch, device)
	if err != nil {
		return nil, nil, err
	}
	defer f.free()
	if err := f.network.TrainAsGPU(); err != nil {
		return nil, nil, err
	}
	o.BatchSize = batch
	var tally torch.Tally
	err = device.OnOwnStream(func() error {
		t, err := newTrainer(ctx, Training{Network: f.network, Data: f.data, Fit: upTo(batch), Options: o, Generator: f.g})
		if err != nil {
			return err
		}
		defer t.free()
		t.record, t.lr = false, o.LR
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		rows := s.Index(t.Fit, device)
		step := func() error { return cmp.Or(ctx.Err(), s.Err(), t.step(rows, batch)) }
		for range 3 { // the first makes the gradients
			if tally, err = torch.CountOperations(step); err != nil {
				return err
			}
		}
		return nil
	})
	return tally, f.network.Variants(), err
}

// TimeForward evaluates a fresh network on one made-up batch for about the time given and
// returns the times of the passes.
func TimeForward(ctx context.Context, arch *models.Arch, batch int, device torch.Device, length time.Duration) (Times, error) {
	f, err := prepare(arch, batch, device)
	if err != nil {
		return Times{}, err
	}
	defer f.free()
	return repeat(ctx, device, length, func() error {
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		f.network.Forward(s, f.data.X, models.Pass{})
		return s.Err()
	})
}

// TimeFolds trains a fresh network on each of k folds of d, jobs of them side by side, and
// returns the time of all together. Fold i tests on every k-th clip and chooses its epoch by
// every fifth of the others.
func TimeFolds(ctx context.Context, arch *models.Arch, o Options, d *Data, device torch.Device, k, jobs int) (time.Duration, error) {
	var group errgroup.Group
	var trials Trials
	group.SetLimit(jobs)
	start := time.Now()
	clips := d.Y.Shape()[0]
	for fold := range k {
		group.Go(func() error {
			n, g, err := Fresh(arch, nil, device, uint64(fold+1))
			if err != nil {
				return err
			}
			defer n.Free()
			defer g.Free()
			var fit, val []int
			for i, others := 0, 0; i < clips; i++ {
				switch {
				case i%k == fold:
					continue
				case others%5 == 4:
					val = append(val, i)
				default:
					fit = append(fit, i)
				}
				others++
			}
			_, err = Training{Network: n, Data: d, Fit: fit, Val: val, Options: o, Generator: g, Trials: &trials}.Run(ctx)
			return err
		})
	}
	err := group.Wait()
	return time.Since(start), err
}

// Losses trains a fresh network on all of d and returns the loss of each of the steps:
// those of the PyTorch program that calls torch.manual_seed(seed), makes the network and
// iterates DataLoader(shuffle=True) once an epoch. The network that they lead to is given to
// trained, which may be nil.
func Losses(ctx context.Context, arch *models.Arch, o Options, d *Data, device torch.Device, seed uint64, steps int, trained func(*models.Network) error) ([]float64, error) {
	var losses []float64
	err := device.OnOwnStream(func() error {
		n, g, err := Fresh(arch, nil, device, seed)
		if err != nil {
			return err
		}
		defer n.Free()
		defer g.Free()
		rows := upTo(d.Y.Shape()[0])
		t, err := newTrainer(ctx, Training{Network: n, Data: d, Fit: rows, Options: o, Generator: g})
		if err != nil {
			return err
		}
		defer t.free()
		t.lr = o.LR
		for len(losses) < steps {
			more, err := t.losses(ctx, steps-len(losses))
			if err != nil {
				return err
			}
			losses = append(losses, more...)
		}
		if trained == nil {
			return nil
		}
		return trained(n)
	})
	return losses, err
}

// losses makes a pass over the training rows, of no more than so many steps, and returns
// the loss of each.
func (t *trainer) losses(ctx context.Context, steps int) ([]float64, error) {
	order, err := shuffled(t.Fit, t.Generator)
	if err != nil {
		return nil, err
	}
	order = order[:min(len(order), steps*t.Options.BatchSize)]
	var losses []float64
	err = t.batches(ctx, order, func(rows *torch.Tensor, _, clips int) error {
		if err := t.total.reset(); err != nil {
			return err
		}
		if err := t.step(rows, clips); err != nil {
			return err
		}
		loss, _, err := t.total.read(clips)
		losses = append(losses, loss)
		return err
	})
	return losses, err
}

func upTo(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// madeUp is a batch of random numbers with labels in turn.
func madeUp(arch *models.Arch, batch int, device torch.Device, g *torch.Generator) (*Data, error) {
	x, err := torch.Zeros(batch, arch.Input[0], arch.Input[1], arch.Input[2])
	if err != nil {
		return nil, err
	}
	defer x.Free()
	if err := g.Uniform(x, 0, 1); err != nil {
		return nil, err
	}
	labels := make([]int64, batch)
	for i := range labels {
		labels[i] = int64(i % arch.Classes)
	}
	y, err := torch.FromSlice(labels, batch)
	if err != nil {
		return nil, err
	}
	defer y.Free()
	return (&Data{X: x, Y: y}).to(device)
}
