package edf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// A File is an open EDF or BDF file whose header has been read and checked
// against the size of the file.
type File struct {
	Header
	// Trailing is the number of bytes after the last data record, which the
	// header doesn't account for and nothing reads.
	Trailing int64

	name   string
	r      io.ReaderAt
	closer io.Closer
}

// Open opens a file and reads its header. Its errors name the file.
func Open(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := r.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	f, err := New(r, info.Size(), path)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	f.closer = r
	return f, nil
}

// New reads the header of the file of the given size behind r. name is for
// error messages.
func New(r io.ReaderAt, size int64, name string) (*File, error) {
	f := &File{name: name, r: r}
	if err := f.readHeader(size); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// Close closes the file if [Open] opened it.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

func (f *File) readHeader(size int64) error {
	if size < fixedHeader {
		return fmt.Errorf("it has %d bytes, fewer than the %d of an EDF header: it is truncated or not EDF; get it again", size, fixedHeader)
	}
	b := make([]byte, fixedHeader)
	if _, err := f.r.ReadAt(b, 0); err != nil {
		return fmt.Errorf("reading the header: %w", err)
	}
	h, signals, claimed, err := parseFixed(b)
	if err != nil {
		return err
	}
	// Every size is held against the file's before anything of that size is
	// allocated.
	need := fixedHeader + signalHeader*int64(signals)
	if signals < 1 || int64(claimed) != need {
		return fmt.Errorf("its header says %d signals and %d header bytes, which don't belong together (256 and 256 for each signal): the file is damaged", signals, claimed)
	}
	if need > size {
		return fmt.Errorf("it is truncated in its header: %d signals need %d bytes and the file has %d; get it again", signals, need, size)
	}
	b = make([]byte, need-fixedHeader)
	if _, err := f.r.ReadAt(b, fixedHeader); err != nil {
		return fmt.Errorf("reading the header: %w", err)
	}
	if err := h.parseSignals(b, signals); err != nil {
		return err
	}
	if err := h.check(); err != nil {
		return err
	}
	f.Header = *h
	return f.fitRecords(size - need)
}

// fitRecords holds the number of records that the header promises against the
// bytes that are there.
func (f *File) fitRecords(body int64) error {
	record := f.recordBytes()
	if record == 0 {
		if f.Records > 0 {
			return fmt.Errorf("its header gives every signal 0 samples: the file is damaged")
		}
		return nil
	}
	there := body / record
	if f.Records == -1 { // the recorder had not yet closed the file
		f.Records = int(there)
	}
	if int64(f.Records) > there {
		return fmt.Errorf("it is truncated: its header promises %d records of %d bytes and %d whole ones are there; get the file again", f.Records, record, there)
	}
	f.Trailing = body - int64(f.Records)*record
	return nil
}

// blockBytes bounds how much of a file is read at once.
const blockBytes = 1 << 20

// Contents are the samples and annotations of a file.
type Contents struct {
	// Signals are the physical values of the signals asked for, in that order.
	Signals [][]float64
	// Annotations are those of the whole file in order of onset, without the
	// empty ones that only keep a record's time.
	Annotations []Annotation
	// Starts is when each record begins, in seconds from the file's start. Nil
	// where the file doesn't say so, and records follow one another.
	Starts []float64
}

// Read reads the signals whose indices are given, and all annotations. The
// context is looked at between blocks of about a megabyte.
func (f *File) Read(ctx context.Context, signals []int) (*Contents, error) {
	c, err := f.read(ctx, signals)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return c, nil
}

func (f *File) read(ctx context.Context, signals []int) (*Contents, error) {
	d := &decoder{f: f, offsets: make([]int, len(f.Signals)+1)}
	for i, s := range f.Signals {
		d.offsets[i+1] = d.offsets[i] + s.SamplesPerRecord*f.sampleBytes()
	}
	c := &Contents{Signals: make([][]float64, len(signals))}
	for k, i := range signals {
		if i < 0 || i >= len(f.Signals) || f.Signals[i].IsAnnotation() {
			return nil, fmt.Errorf("signal %d holds no samples", i)
		}
		c.Signals[k] = make([]float64, 0, f.Records*f.Signals[i].SamplesPerRecord)
	}
	record := int(f.recordBytes())
	if record == 0 {
		return c, nil
	}
	perBlock := max(1, blockBytes/record)
	buf := make([]byte, min(perBlock, f.Records)*record)
	for first := 0; first < f.Records; first += perBlock {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(perBlock, f.Records-first)
		if _, err := f.r.ReadAt(buf[:n*record], f.headerBytes()+int64(first)*int64(record)); err != nil {
			return nil, fmt.Errorf("reading data record %d: %w", first+1, err)
		}
		for r := range n {
			b := buf[r*record : (r+1)*record]
			for k, i := range signals {
				c.Signals[k] = d.samples(c.Signals[k], b, i)
			}
			if err := d.annotations(c, b, first+r); err != nil {
				return nil, err
			}
		}
	}
	sortAnnotations(c.Annotations)
	return c, nil
}

// A decoder takes records apart.
type decoder struct {
	f       *File
	offsets []int // of the signals within a record
}

// samples appends the physical values of signal i in record b.
func (d *decoder) samples(dst []float64, b []byte, i int) []float64 {
	gain, offset := d.f.Signals[i].scale()
	b = b[d.offsets[i]:d.offsets[i+1]]
	if d.f.BDF {
		for ; len(b) >= 3; b = b[3:] {
			v := int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24) >> 8
			dst = append(dst, gain*float64(v)+offset)
		}
		return dst
	}
	for ; len(b) >= 2; b = b[2:] {
		v := int16(uint16(b[0]) | uint16(b[1])<<8)
		dst = append(dst, gain*float64(v)+offset)
	}
	return dst
}
