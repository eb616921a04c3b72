package train

import (
	"fmt"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/torch"
)

// Data is a feature set where trainings take their clips from: on their device or, where a
// GPU has no room for it, on the host.
type Data struct {
	X, Y *torch.Tensor // [clips, shape...] float32, [clips] int64

	set    *data.Set // whose memory X is; nil where X has its own
	onHost bool      // and trainings are on a GPU
}

// NewData puts a set on a device where that has room for it, and for trainings beside it.
// On the CPU, and on the host for a GPU that has no room, it uses the set's own memory, which
// must not change, nor be closed, until Free.
func NewData(set *data.Set, device torch.Device) (*Data, error) {
	x, err := torch.Wrap(set.X, append([]int{set.Len()}, set.Shape...)...)
	if err != nil {
		return nil, err
	}
	y, err := torch.Wrap(set.Y, set.Len())
	if err != nil {
		x.Free()
		return nil, err
	}
	d := &Data{X: x, Y: y, set: set}
	if !device.IsCUDA() {
		return d, nil
	}
	about, err := torch.DescribeGPU(device.Index())
	if err != nil {
		d.Free()
		return nil, err
	}
	if d.onHost = !roomFor(4*int64(len(set.X)), about.Free); d.onHost {
		return d, nil
	}
	copied, err := d.to(device)
	if IsOutOfMemory(err) { // it was free a moment ago
		d.onHost = true
		return d, nil
	}
	defer d.Free()
	if err == nil {
		if err = d.lost(); err != nil {
			copied.Free()
		}
	}
	if err != nil {
		return nil, err
	}
	return copied, nil
}

// roomFor reports whether a GPU has room for a set: trainings keep a quarter of the free memory.
func roomFor(set, free int64) bool { return set <= free-free/4 }

// OnHost says that the GPU has no room for the set, and the set's size: trainings then
// copy each batch to it. It is "" where the GPU has room.
func (d *Data) OnHost() string {
	if !d.onHost {
		return ""
	}
	return fmt.Sprintf("the feature set, of %s, stays on the host, as the GPU has no room for it: each batch is copied there", torch.Bytes(4*int64(d.X.Len())))
}

// to returns a copy on a device.
func (d *Data) to(device torch.Device) (*Data, error) {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	copied := func(t *torch.Tensor, dtype torch.DType) (*torch.Tensor, error) {
		moved := s.To(t, dtype, device)
		if !device.IsCUDA() { // then it is t's own memory
			moved = s.Clone(moved)
		}
		return s.Keep(moved)
	}
	moved := &Data{}
	var err error
	if moved.X, err = copied(d.X, torch.Float32); err == nil {
		moved.Y, err = copied(d.Y, torch.Int64)
	}
	if err != nil {
		moved.Free()
		return nil, fmt.Errorf("putting the feature set on %v: %w", device, err)
	}
	return moved, nil
}

// rowsOn is the device for indices of rows of d, for a computation on the device given.
func (d *Data) rowsOn(device torch.Device) torch.Device {
	if d.onHost {
		return torch.CPU
	}
	return device
}

// clips returns those of rows on a device.
func (d *Data) clips(s *torch.Scope, rows *torch.Tensor, device torch.Device) *torch.Tensor {
	x := s.IndexSelect(d.X, 0, rows)
	if d.onHost {
		x = s.To(x, torch.Float32, device)
	}
	return x
}

// classes returns those of the clips of rows on a device.
func (d *Data) classes(s *torch.Scope, rows *torch.Tensor, device torch.Device) *torch.Tensor {
	y := s.IndexSelect(d.Y, 0, rows)
	if d.onHost {
		y = s.To(y, torch.Int64, device)
	}
	return y
}

// take returns clips and their classes.
func (d *Data) take(s *torch.Scope, rows *torch.Tensor, device torch.Device) (x, y *torch.Tensor) {
	return d.clips(s, rows, device), d.classes(s, rows, device)
}

// lost returns an error where the file that the set lies in has changed: earlier results
// may be of other values.
func (d *Data) lost() error {
	if d.set == nil {
		return nil
	}
	return d.set.Err()
}

// Free frees the tensors.
func (d *Data) Free() {
	d.X.Free()
	d.Y.Free()
}
