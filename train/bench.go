package train

import (
	"context"
	"time"

	"eegprune/models"
	"eegprune/torch"
)

// TimeSteps trains a fresh network on one made-up batch for about the time given and
// returns what each step took, in milliseconds.
func TimeSteps(ctx context.Context, arch *models.Arch, o Options, batch int, device torch.Device, length time.Duration) ([]float64, error) {
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		return nil, err
	}
	defer g.Free()
	drawn, err := models.New(arch, torch.CPU, g)
	if err != nil {
		return nil, err
	}
	defer drawn.Free()
	n, err := drawn.To(device)
	if err != nil {
		return nil, err
	}
	defer n.Free()
	d, err := madeUp(arch, batch, device, g)
	if err != nil {
		return nil, err
	}
	defer d.Free()
	opt, err := o.optimizer(n.Parameters())
	if err != nil {
		return nil, err
	}
	defer opt.Free()
	total, err := newTally(device)
	if err != nil {
		return nil, err
	}
	defer total.free()
	t := trainer{Training: Training{Network: n, Data: d}, opt: opt, dropout: g, batch: batch}
	rows := make([]int, batch)
	for i := range rows {
		rows[i] = i
	}
	var times []float64
	for start := time.Now(); len(times) < 4 || time.Since(start) < length; {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		began := time.Now()
		if _, err := t.step(rows, o.LR, &total, false); err != nil {
			return nil, err
		}
		if err := device.Synchronize(); err != nil {
			return nil, err
		}
		times = append(times, time.Since(began).Seconds()*1e3)
	}
	return times[1:], nil // the first chooses algorithms
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
