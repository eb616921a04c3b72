package experiment

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
)

// speeds measures the first fold's networks. Networks of one architecture are one
// measurement: their weights make no difference to it.
func (g Grid) speeds(ctx context.Context, results []result.Result, dir string) ([]result.VariantSpeed, error) {
	var speeds []result.VariantSpeed
	var measured []*models.Arch
	var values []result.Speed
	for _, r := range results {
		v := r.Variant
		if slices.ContainsFunc(speeds, func(s result.VariantSpeed) bool { return s.Variant == v }) {
			continue
		}
		n, _, err := models.Load(filepath.Join(dir, r.Checkpoint), g[0].device)
		if err != nil {
			return nil, err
		}
		same := slices.IndexFunc(measured, func(a *models.Arch) bool {
			return reflect.DeepEqual(a.Nodes, n.Arch.Nodes) && reflect.DeepEqual(a.Tensors, n.Arch.Tensors)
		})
		if same < 0 {
			v, err := Measure(ctx, n)
			if err != nil {
				n.Free()
				return nil, fmt.Errorf("measuring %s: %w", Describe(r.Cell), err)
			}
			measured, values, same = append(measured, n.Arch), append(values, v), len(values)
		}
		n.Free()
		speeds = append(speeds, result.VariantSpeed{Variant: v, Speed: values[same]})
	}
	return speeds, nil
}

// Measure times the network on its device, with as many threads as operations may use.
func Measure(ctx context.Context, n *models.Network) (result.Speed, error) {
	var v result.Speed
	var err error
	if v.Latency1, err = latency(ctx, n, 1); err != nil {
		return v, err
	}
	if v.Latency64, err = latency(ctx, n, 64); err != nil {
		return v, err
	}
	v.Throughput64 = 64 / (v.Latency64 / 1e3)
	return v, nil
}

// latency is the median time of a forward pass, in milliseconds.
func latency(ctx context.Context, n *models.Network, batch int) (float64, error) {
	in := n.Arch.Input
	x, err := torch.Full(0.5, torch.Float32, n.Device(), batch, in[0], in[1], in[2])
	if err != nil {
		return 0, err
	}
	defer x.Free()
	var times []float64
	const least, atMost = 10, 250 * time.Millisecond
	for start := time.Now(); len(times) < least+3 || time.Since(start) < atMost; {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		began := time.Now()
		s := torch.NewScope(torch.NoGrad)
		n.Forward(s, x, models.Pass{})
		err := s.Err()
		s.Close()
		if err == nil {
			err = n.Device().Synchronize()
		}
		if err != nil {
			return 0, err
		}
		times = append(times, time.Since(began).Seconds()*1e3)
	}
	times = times[3:] // the first passes choose algorithms and fill caches
	slices.Sort(times)
	return times[len(times)/2], nil
}
