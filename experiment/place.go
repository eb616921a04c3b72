package experiment

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/eegprune/eegprune/internal/meter"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// A place is where cells are done, several at a time: a device with the studies' data.
type place struct {
	device  torch.Device
	studies map[*Study]*Study
	made    result.Run // the results' record of the run, but for its usage
	meter   *meter.Meter
	// alone is held shared by cells that run side by side, and wholly by one that has
	// failed so.
	alone sync.RWMutex
	jobs  atomic.Int32 // how many run side by side
}

// retire has one job fewer run here from now on, unless it is the last.
func (p *place) retire() bool {
	for {
		n := p.jobs.Load()
		if n < 2 {
			return false
		}
		if p.jobs.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// newPlace is a device without data.
func newPlace(device torch.Device, o RunOptions) (*place, error) {
	env, err := environment([]torch.Device{device}, o)
	if err != nil {
		return nil, err
	}
	p := &place{device: device, studies: map[*Study]*Study{}, made: result.Run{Version: env.Version, Commit: o.Commit, Libtorch: env.Libtorch,
		CUDA: env.CUDA, CuDNN: env.CuDNN, Device: env.Device, Processor: env.CPU, Host: env.Host}}
	gpu := meter.NoGPU
	if device.IsCUDA() {
		gpu = device.Index()
		about, err := torch.DescribeGPU(gpu)
		if err != nil {
			return nil, err
		}
		p.made.Processor = about.Name
	}
	p.meter = meter.New(gpu)
	return p, nil
}

// attempt makes a cell, and once more with nothing beside it where that fails, which the
// result then says: retried is why. fewer: memory was short, and this place takes a job less
// from now on.
func (p *place) attempt(ctx context.Context, c result.Cell, watch Observer, make func(retried string) (result.Result, error)) (found result.Result, fewer bool, err error) {
	p.alone.RLock()
	found, err = make("")
	p.alone.RUnlock()
	if err == nil || ctx.Err() != nil || endsAll(err) {
		return found, false, err
	}
	if train.IsOutOfMemory(err) && p.retire() {
		fewer = true
		watch.fewer(fmt.Sprintf("%s: %v: %d side by side from now on", Describe(c), err, p.jobs.Load()))
	}
	watch.again(c, err)
	p.alone.Lock()
	defer p.alone.Unlock()
	found, err = make(err.Error())
	return found, fewer, err
}
