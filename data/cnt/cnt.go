// Package cnt reads and writes Neuroscan's continuous files (.cnt), by the header that SCAN 4
// writes: 900 bytes, 75 for each channel, then samples of 16 or 32 bits in blocks of one or more
// for each channel, then a table of events, which isn't read.
//
// No size or count in a file is taken at its word. Files of ANT, which end in .cnt too, are
// another format and refused.
package cnt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
)

// Where things are in a header.
const (
	fixedBytes   = 900
	channelBytes = 75

	channelsAt = 370 // uint16
	rateAt     = 376 // uint16
	samplesAt  = 864 // uint32
	eventsAt   = 886 // uint32
	blockAt    = 894 // int32: bytes of each channel in a block

	// Of a channel.
	baselineAt    = 47 // int16
	sensitivityAt = 59 // float32
	calibrationAt = 71 // float32
	nameBytes     = 10

	mostChannels = 1024
	// steps divides sensitivity times calibration.
	steps = 204.8
)

// A File is an opened file.
type File struct {
	Channels []string
	Rate     float64 // samples per second
	Samples  int     // of each channel

	r        io.ReaderAt
	closer   io.Closer
	gain     []float64 // microvolts of a digital step
	baseline []float64
	width    int // bytes of a sample
	block    int // samples of each channel in a block
}

// Open opens a file, which the caller closes.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil {
		var f *File
		if f, err = New(file, info.Size()); err == nil {
			f.closer = file
			return f, nil
		}
	}
	return nil, errors.Join(err, file.Close())
}

// Close closes a file that was opened by its path.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// New reads the header of the file of the given size behind r.
func New(r io.ReaderAt, size int64) (*File, error) {
	head := make([]byte, fixedBytes)
	if size < fixedBytes {
		return nil, errors.New("it is shorter than the header of a Neuroscan file: it is truncated, or of another format")
	}
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	if bytes.HasPrefix(head, []byte("RIFF")) || bytes.HasPrefix(head, []byte("RF64")) {
		return nil, errors.New("it is a file of ANT's, which also end in .cnt: only Neuroscan's are read")
	}
	f := &File{r: r, Rate: float64(binary.LittleEndian.Uint16(head[rateAt:]))}
	n := int(binary.LittleEndian.Uint16(head[channelsAt:]))
	start := int64(fixedBytes + n*channelBytes)
	if n < 1 || n > mostChannels || f.Rate == 0 || start > size {
		return nil, fmt.Errorf("its header has %d channels at %g samples a second: it is damaged, or of another format", n, f.Rate)
	}
	list := make([]byte, n*channelBytes)
	if _, err := r.ReadAt(list, fixedBytes); err != nil {
		return nil, fmt.Errorf("reading the header of its channels: %w", err)
	}
	for c := range n {
		if err := f.channel(list[c*channelBytes : (c+1)*channelBytes]); err != nil {
			return nil, err
		}
	}
	return f, f.layout(head, start, size)
}

// channel reads the header of a channel.
func (f *File) channel(b []byte) error {
	name, _, _ := bytes.Cut(b[:nameBytes], []byte{0})
	float := func(at int) float64 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b[at:])))
	}
	gain := float(sensitivityAt) * float(calibrationAt) / steps
	if gain == 0 || gain-gain != 0 {
		return fmt.Errorf("its channel %q has no sensitivity: the header is damaged", name)
	}
	f.Channels = append(f.Channels, strings.TrimSpace(string(name)))
	f.gain = append(f.gain, gain)
	f.baseline = append(f.baseline, float64(int16(binary.LittleEndian.Uint16(b[baselineAt:]))))
	return nil
}

// layout finds out where samples are, and of how many bytes.
func (f *File) layout(head []byte, start, size int64) error {
	end := int64(binary.LittleEndian.Uint32(head[eventsAt:]))
	if end <= start { // there is no table
		end = size
	}
	each := int64(len(f.Channels)) * int64(binary.LittleEndian.Uint32(head[samplesAt:]))
	if end > size || each == 0 {
		return fmt.Errorf("its header has samples up to byte %d and the file has %d bytes: it is truncated; get it again", end, size)
	}
	switch f.width = int((end - start) / each); f.width {
	case 2, 4:
	default:
		return fmt.Errorf("its header has %d samples of %d channels and the file has %d bytes of them, which is neither 2 nor 4 each: it is truncated or damaged", each/int64(len(f.Channels)), len(f.Channels), end-start)
	}
	claimed := each / int64(len(f.Channels))
	f.Samples = int(claimed)
	f.block = 1
	if b := int(int32(binary.LittleEndian.Uint32(head[blockAt:]))); b > 1 {
		f.block = b / f.width
	}
	if f.block < 1 || f.block > f.Samples {
		return fmt.Errorf("its header has blocks of %d samples in %d: it is damaged", f.block, f.Samples)
	}
	if f.Samples%f.block != 0 {
		f.Samples -= f.Samples % f.block // the last block isn't whole
	}
	return nil
}

// readBytes is about how much is read at once.
const readBytes = 1 << 20

// Read gives samples [from, to) of some channels, in microvolts.
func (f *File) Read(ctx context.Context, channels []int, from, to int) ([][]float64, error) {
	if from < 0 || to > f.Samples || from > to {
		return nil, fmt.Errorf("samples %d to %d are asked for, and it has %d", from, to, f.Samples)
	}
	out := make([][]float64, len(channels))
	for i, c := range channels {
		if c < 0 || c >= len(f.Channels) {
			return nil, fmt.Errorf("channel %d is asked for, and it has %d", c, len(f.Channels))
		}
		out[i] = make([]float64, to-from)
	}
	n := len(f.Channels)
	blockBytes := n * f.block * f.width
	start := int64(fixedBytes + n*channelBytes)
	atOnce := max(1, readBytes/blockBytes)
	buffer := make([]byte, atOnce*blockBytes)
	for first := from / f.block; first*f.block < to; first += atOnce {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		count := min(atOnce, f.Samples/f.block-first)
		b := buffer[:count*blockBytes]
		if _, err := f.r.ReadAt(b, start+int64(first)*int64(blockBytes)); err != nil {
			return nil, fmt.Errorf("reading samples: %w", err)
		}
		for k := range count {
			for i, c := range channels {
				f.put(out[i], b[k*blockBytes+c*f.block*f.width:], (first+k)*f.block-from, c)
			}
		}
	}
	return out, nil
}

// put takes those of a block's samples of a channel that are within dst, at which the block
// begins.
func (f *File) put(dst []float64, b []byte, at, c int) {
	for i := range f.block {
		if at+i < 0 || at+i >= len(dst) {
			continue
		}
		var v float64
		if f.width == 2 {
			v = float64(int16(binary.LittleEndian.Uint16(b[2*i:])))
		} else {
			v = float64(int32(binary.LittleEndian.Uint32(b[4*i:])))
		}
		dst[at+i] = (v - f.baseline[c]) * f.gain[c]
	}
}

// Write writes a file of 32-bit samples, one for each channel in turn. Signals are in microvolts
// and are rounded to a step.
func Write(w io.Writer, channels []string, rate, step float64, signals [][]float64) error {
	if len(channels) == 0 || len(channels) > mostChannels || len(channels) != len(signals) {
		return fmt.Errorf("cnt: %d channels and %d signals", len(channels), len(signals))
	}
	n := len(signals[0])
	head := make([]byte, fixedBytes+channelBytes*len(channels))
	copy(head, "Version 3.0")
	binary.LittleEndian.PutUint16(head[channelsAt:], uint16(len(channels)))
	binary.LittleEndian.PutUint16(head[rateAt:], uint16(rate))
	binary.LittleEndian.PutUint32(head[samplesAt:], uint32(n))
	binary.LittleEndian.PutUint32(head[eventsAt:], uint32(len(head)+4*n*len(channels)))
	for c, name := range channels {
		b := head[fixedBytes+c*channelBytes:]
		if len(name) >= nameBytes || len(signals[c]) != n {
			return fmt.Errorf("cnt: channel %q has too long a name, or %d samples where the first has %d", name, len(signals[c]), n)
		}
		copy(b, name)
		binary.LittleEndian.PutUint32(b[sensitivityAt:], math.Float32bits(float32(step*steps)))
		binary.LittleEndian.PutUint32(b[calibrationAt:], math.Float32bits(1))
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	line := make([]byte, 4*len(channels))
	for i := range n {
		for c := range channels {
			v := math.RoundToEven(signals[c][i] / step)
			binary.LittleEndian.PutUint32(line[4*c:], uint32(int32(max(math.MinInt32, min(math.MaxInt32, v)))))
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	_, err := w.Write(emptyTable[:])
	return err
}

// emptyTable is a table of no events: its type, its size and an offset.
var emptyTable = [9]byte{1}
