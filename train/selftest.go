package train

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// A SelfTest is the result of small trainings on a device.
type SelfTest struct {
	Step     time.Duration // median of the steps of a training by itself
	Recorded bool          // whether steps were recorded, as a GPU's are
}

// ErrOtherBits is wrapped by the error of a device that computed one training twice and got
// different bits.
var ErrOtherBits = errors.New("the same training gave other bits")

// TryDevice trains a small network four times: with its steps recorded and not, alone and two
// at once. All must return the same bits.
func TryDevice(ctx context.Context, device torch.Device) (SelfTest, error) {
	var out SelfTest
	arch, err := models.Build("fbccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		return out, err
	}
	want, steps, _, err := selfTraining(ctx, arch, device, false)
	if err != nil {
		return out, err
	}
	got, recorded, replayed, err := selfTraining(ctx, arch, device, true)
	if err != nil {
		return out, fmt.Errorf("with recorded steps: %w", err)
	}
	if !slices.Equal(got, want) {
		return out, fmt.Errorf("with recorded steps %w", ErrOtherBits)
	}
	out.Recorded = replayed > 0
	if out.Recorded {
		steps = recorded
	}
	slices.Sort(steps)
	out.Step = steps[len(steps)/2]
	var both errgroup.Group
	for range 2 {
		both.Go(func() error {
			beside, _, _, err := selfTraining(ctx, arch, device, true)
			if err == nil && !slices.Equal(beside, want) {
				err = ErrOtherBits
			}
			return err
		})
	}
	if err := both.Wait(); err != nil {
		return out, fmt.Errorf("two at once: %w", err)
	}
	return out, nil
}

// selfTraining returns the weights of a short training of a network, and how long its last
// steps took.
func selfTraining(ctx context.Context, arch *models.Arch, device torch.Device, record bool) (weights []float32, steps []time.Duration, replayed int, err error) {
	err = device.OnOwnStream(func() error {
		n, g, err := Fresh(arch, nil, device, 1)
		if err != nil {
			return err
		}
		defer n.Free()
		defer g.Free()
		const clips = 32
		d, err := madeUp(arch, clips, device, g)
		if err != nil {
			return err
		}
		defer d.Free()
		o := Paper(arch.Model)
		o.BatchSize = clips
		t, err := newTrainer(ctx, Training{Network: n, Data: d, Fit: upTo(clips), Val: upTo(clips), Options: o, Generator: g})
		if err != nil {
			return err
		}
		defer t.free()
		t.record = t.record && record
		for i := range warmUp + 5 {
			start := time.Now()
			if _, _, err := t.pass(ctx, t.Fit, o.LR); err != nil {
				return err
			}
			if i > warmUp { // the one before may have been recorded
				steps = append(steps, time.Since(start))
			}
		}
		if _, err := t.validate(ctx); err != nil {
			return err
		}
		replayed = t.replayed
		for _, p := range n.Parameters() {
			w, err := torch.ToSlice[float32](p)
			if err != nil {
				return err
			}
			weights = append(weights, w...)
		}
		return nil
	})
	return weights, steps, replayed, err
}
