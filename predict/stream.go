package predict

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/train"
)

// Stream classifies clips of the network's input size as they come, and hands on each with
// those that came with it: numbers of 4 bytes (float32, little-endian) in the order
// [channels, height, width], or .npy arrays of them one after another. It ends with the
// stream, or with ctx though a read of r may go on. A prediction holds until next returns. Errors
// call the stream by name.
func (p *Predictor) Stream(ctx context.Context, name string, r io.Reader, next func(*Prediction) error) error {
	// A read of standard input can't be interrupted; one of a pipe can.
	in, feed := io.Pipe()
	go func() {
		_, err := io.Copy(feed, r)
		feed.CloseWithError(err)
	}()
	defer context.AfterFunc(ctx, func() { feed.CloseWithError(ctx.Err()) })()
	arch := p.network.Arch
	clips := newClipStream(in, arch.Input)
	return p.network.Device().OnOwnStream(func() error { // one thread, as for batches
		for out := p.nothing(); ; out.First += out.Clips() {
			x, err := clips.next(train.EvalBatch)
			if errors.Is(err, io.EOF) && out.First > 0 {
				return nil
			}
			if errors.Is(err, io.EOF) {
				return fmt.Errorf("there are no clips on %s: %s takes float32 numbers of shape %v, or .npy arrays of them", name, arch.Model, arch.Input)
			}
			out.Logits, out.Probability = out.Logits[:0], out.Probability[:0]
			if err == nil {
				err = p.forward(out, x)
			}
			if err != nil {
				return fmt.Errorf("%s, after %d clips: %w", name, out.First, err)
			}
			if err := next(out); err != nil {
				return err
			}
		}
	})
}

// A clipStream reads clips of one shape: float32 numbers, little-endian, or .npy arrays.
type clipStream struct {
	r     *bufio.Reader
	shape [3]int

	begun, arrays, wide bool
	left                int64 // clips of the array that is being read
	broken              error // the error after the last whole clip
}

func newClipStream(r io.Reader, shape [3]int) *clipStream {
	return &clipStream{r: bufio.NewReaderSize(r, 1<<16), shape: shape}
}

// next returns one clip, and those after it that have come already, up to most. The end
// is io.EOF.
func (c *clipStream) next(most int) ([]float32, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	if !c.begun {
		start, err := c.r.Peek(6)
		if err != nil && len(start) == 0 {
			return nil, err
		}
		c.begun, c.arrays = true, npy.Is(start)
	}
	for c.arrays && c.left == 0 {
		if err := c.nextArray(); err != nil {
			return nil, err
		}
	}
	values, width := c.shape[0]*c.shape[1]*c.shape[2], 4
	if c.wide {
		width = 8
	}
	x, err := c.clip(nil, values, width)
	if err != nil {
		return nil, err
	}
	for n := 1; n < most && c.r.Buffered() >= values*width && (!c.arrays || c.left > 0); n++ {
		more, err := c.clip(x, values, width)
		if err != nil {
			c.broken = err
			break
		}
		x = more
	}
	return x, nil
}

// nextArray reads the header of an array.
func (c *clipStream) nextArray() error {
	if _, err := c.r.Peek(1); err != nil {
		return err
	}
	h, err := npy.ReadHeader(c.r)
	if err != nil {
		return err
	}
	shape := h.Shape
	if len(shape) == 3 { // a single clip
		shape = append([]int64{1}, shape...)
	}
	if len(shape) != 4 || [3]int{int(shape[1]), int(shape[2]), int(shape[3])} != c.shape {
		return fmt.Errorf("an array has shape %v and the network takes clips of %v", h.Shape, c.shape)
	}
	if c.wide = h.Type == "f8"; !c.wide && h.Type != "f4" || h.Swapped || h.Fortran {
		return fmt.Errorf("an array is of type %s, or in another order than C's and little-endian: give float32 in C's order (numpy.ascontiguousarray(x, \"<f4\"))", h.Type)
	}
	c.left = shape[0]
	return nil
}

// clip reads one.
func (c *clipStream) clip(x []float32, values, width int) ([]float32, error) {
	raw := make([]byte, values*width)
	if got, err := io.ReadFull(c.r, raw); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) && c.arrays {
			return nil, fmt.Errorf("it ends %d bytes into a clip of %d", got, len(raw))
		}
		return nil, err
	}
	c.left--
	for i := range values {
		v := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i*width:])))
		if c.wide {
			v = math.Float64frombits(binary.LittleEndian.Uint64(raw[i*width:]))
		}
		f := float32(v)
		if f-f != 0 { // NaN or infinite
			return nil, fmt.Errorf("the next has the value %g: features must be finite numbers", v)
		}
		x = append(x, f)
	}
	return x, nil
}
