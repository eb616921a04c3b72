package train

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/torch"
)

// TimeServing gathers batches of a set's clips in random order as a training step does, on the CPU,
// for about the time given, and returns how many clips are served a second.
func TimeServing(ctx context.Context, set *data.Set, batch int, length time.Duration) (float64, error) {
	d, err := NewData(set, torch.CPU)
	if err != nil {
		return 0, err
	}
	defer d.Free()
	rng := rand.New(rand.NewPCG(1, 1))
	served, start := 0, time.Now()
	for time.Since(start) < length {
		order := rng.Perm(set.Len())
		for from := 0; from < len(order) && time.Since(start) < length; from += batch {
			rows := order[from:min(from+batch, len(order))]
			if err := serveBatch(d, rows); err != nil {
				return 0, err
			}
			served += len(rows)
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	return float64(served) / time.Since(start).Seconds(), nil
}

func serveBatch(d *Data, rows []int) error {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	s.Select(d.X, 0, rows)
	s.Select(d.Y, 0, rows)
	return s.Err()
}
