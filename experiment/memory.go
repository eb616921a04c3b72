package experiment

import (
	"context"
	"fmt"

	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// spare is the GPU memory left free for its driver and libraries, beside tensors.
const spare = 256 << 20

// sideBySide returns how many of so many trainings fit in the free memory of a device, at
// least one, and why they are fewer.
func sideBySide(device string, jobs int, need, free int64, what string) (int, string) {
	if need <= 0 {
		return jobs, ""
	}
	// Two streams have theirs already: those on which it was measured.
	fit := max(1, 2+int((free-spare)/need))
	if fit >= jobs {
		return jobs, ""
	}
	return fit, fmt.Sprintf("%s: a training of %s takes %s and %s are free: %d side by side instead of %d",
		device, what, torch.Bytes(need), torch.Bytes(free), fit, jobs)
}

// fit returns how many of so many jobs a place takes: on a GPU as many as fit in its memory,
// measured by the training that takes most.
func (p *place) fit(ctx context.Context, g Grid, jobs int) (int, string, error) {
	if !p.device.IsCUDA() || jobs < 2 {
		return jobs, "", nil
	}
	var most int64
	var model string
	measured := map[string]bool{}
	for _, s := range g {
		if measured[s.Config.Model] {
			continue
		}
		measured[s.Config.Model] = true
		need, err := train.Footprint(ctx, s.Arch, s.Config.Train, p.studies[s].data, p.device)
		if train.IsOutOfMemory(err) {
			return 1, fmt.Sprintf("two trainings of %s do not fit (%v): one at a time instead of %d", s.Config.Model, err, jobs), nil
		}
		if err != nil {
			return 0, "", fmt.Errorf("measuring what a training of %s takes: %w", s.Config.Model, err)
		}
		if need > most {
			most, model = need, s.Config.Model
		}
	}
	about, err := torch.DescribeGPU(p.device.Index())
	if err != nil {
		return 0, "", err
	}
	n, why := sideBySide(p.device.String(), jobs, most, about.Free, model)
	return n, why, nil
}

// withMend adds a remedy, such as a batch size that fits, to the error of a training that
// had a device to itself and ran out of memory.
func (c cell) withMend(ctx context.Context, err error) error {
	if !train.IsOutOfMemory(err) {
		return err
	}
	if !c.device.IsCUDA() { // where trying could have the kernel end the program
		return fmt.Errorf("%w: use a smaller --batch (now %d)", err, c.Config.Train.BatchSize)
	}
	batch, tryErr := train.LargestBatch(ctx, c.Arch, c.Config.Train, c.data, c.device)
	switch {
	case tryErr != nil:
		return err
	case batch == 0:
		return fmt.Errorf("%w: not even one clip at a time fits; free the device of other programs (nvidia-smi shows them), or use --device cpu", err)
	}
	return fmt.Errorf("%w: --batch %d fits", err, batch)
}
