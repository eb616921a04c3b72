package train

import (
	"context"
	"errors"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// Footprint returns the bytes of a GPU that a training takes for itself beside others, with
// its stream, its recordings and an evaluation: the free memory before a short one less that after,
// on clips that d holds. It wants the GPU to itself meanwhile.
func Footprint(ctx context.Context, arch *models.Arch, o Options, d *Data, device torch.Device) (int64, error) {
	free := func() (int64, error) {
		g, err := torch.DescribeGPU(device.Index())
		return g.Free, err
	}
	short := func() error { return tryOut(ctx, arch, o, d, device) }
	var bytes int64
	// The first brings CUDA and its libraries, which all trainings share, and keeps its stream
	// while the second is measured.
	err := device.OnOwnStream(func() error {
		if err := short(); err != nil {
			return err
		}
		before, err := free()
		if err != nil {
			return err
		}
		second := make(chan error, 1)
		go func() { second <- device.OnOwnStream(short) }()
		if err := <-second; err != nil {
			return err
		}
		after, err := free()
		bytes = max(before-after, 0)
		return err
	})
	return bytes, err
}

// tryOut takes as many steps as are needed until one is recorded, and evaluates as often.
func tryOut(ctx context.Context, arch *models.Arch, o Options, d *Data, device torch.Device) error {
	n, g, err := Fresh(arch, nil, device, 1)
	if err != nil {
		return err
	}
	defer n.Free()
	defer g.Free()
	rows := upTo(d.Y.Shape()[0])
	t, err := newTrainer(ctx, Training{Network: n, Data: d, Fit: rows[:min(o.BatchSize, len(rows))], Val: rows, Options: o, Generator: g})
	if err != nil {
		return err
	}
	defer t.free()
	if t.best, err = n.Clone(); err != nil {
		return err
	}
	for range warmUp + 1 {
		if _, _, err := t.pass(ctx, t.Fit, o.LR); err != nil {
			return err
		}
	}
	for range 2 {
		if _, err := t.validate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// LargestBatch returns the largest batch, halved again and again from that of o, of which a
// training fits in the device's free memory; 0 where not one clip does.
func LargestBatch(ctx context.Context, arch *models.Arch, o Options, d *Data, device torch.Device) (int, error) {
	return largestBatch(o.BatchSize, func(batch int) error {
		o.BatchSize = batch
		return device.OnOwnStream(func() error { return tryOut(ctx, arch, o, d, device) })
	})
}

// largestBatch tries half of batch, and half of that, until one is not out of memory.
func largestBatch(batch int, try func(batch int) error) (int, error) {
	for batch /= 2; batch > 0; batch /= 2 {
		err := try(batch)
		if !IsOutOfMemory(err) {
			return batch, err
		}
	}
	return 0, nil
}

// IsOutOfMemory reports whether err is of a device, or a host, that had no memory left.
func IsOutOfMemory(err error) bool {
	var e *torch.Error
	return errors.As(err, &e) && e.Code == torch.OutOfMemory
}
