package edf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/eegprune/eegprune/internal/note"
)

// A File is an open EDF or BDF file whose header has been read and checked
// against the size of the file.
type File struct {
	Header
	// Notes name the gaps and faults of the header, and how the file is read all the same.
	Notes []note.Note

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
	h.checkRanges()
	f.Header = *h
	if !f.Plus && f.hasAnnotations() {
		f.Plus = true
		f.Notes = append(f.Notes, note.New(note.Assumed, "Its header does not say EDF+, and it has a signal of annotations: they are read."))
	}
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
		f.Records = 0
		return nil
	}
	there := body / record
	rest := body - there*record
	said := int64(f.Records)
	switch {
	case said > there && there == 0:
		return fmt.Errorf("it is truncated: its header promises %d records of %d bytes and %d bytes are there; get the file again", said, record, body)
	case said > there:
		f.Notes = append(f.Notes, note.New(note.LeftOut, "The file is cut off: %d of the %d data records that its header promises are missing; get it again, if there is a whole one.", said-there, said))
		rest = 0 // the rest is a part of the next record
	case said == unknownRecords || said == 0 && there > 0: // the recorder had not yet closed the file
		f.Notes = append(f.Notes, note.New(note.Assumed, "Its header does not say how many data records it has (%d): the %d that are there are read.", said, there))
	case said < there && rest == 0:
		f.Notes = append(f.Notes, note.New(note.Assumed, "Its header promises %d data records and %d are there: all are read.", said, there))
	case said < there:
		there, rest = said, body-said*record
	}
	f.Records = int(there)
	if rest > 0 {
		f.Notes = append(f.Notes, note.New(note.LeftOut, "%d bytes after the last whole data record are ignored.", rest))
	}
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
	// Notes name annotations that could not be read, or not as they stand.
	Notes []note.Note
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
	c := &Contents{Signals: make([][]float64, len(signals))}
	for k, i := range signals {
		if err := f.sampled(i); err != nil {
			return nil, err
		}
		if why := f.Signals[i].Unfit; why != "" {
			return nil, fmt.Errorf("signal %q has no physical values: %s", f.Signals[i].Label, why)
		}
		c.Signals[k] = make([]float64, 0, f.Records*f.Signals[i].SamplesPerRecord)
	}
	offsets := f.offsets()
	lists := newLists(f)
	err := f.eachRecord(ctx, func(r int, b []byte) {
		for k, i := range signals {
			gain, offset := f.Signals[i].scale()
			f.digits(b[offsets[i]:offsets[i+1]], func(v int32) {
				c.Signals[k] = append(c.Signals[k], gain*float64(v)+offset)
			})
		}
		lists.add(b, offsets, r)
	})
	if err != nil {
		return nil, err
	}
	return c, lists.finish(c)
}

// Span reads the samples [from, to) of signals that have as many in each data record, in physical
// values, and nothing else of the file. Where the file has gaps, samples count without them.
func (f *File) Span(ctx context.Context, signals []int, from, to int) ([][]float64, error) {
	x := make([][]float64, len(signals))
	per := 0
	for k, i := range signals {
		if err := f.sampled(i); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		s := f.Signals[i]
		if s.Unfit != "" {
			return nil, fmt.Errorf("%s: signal %q has no physical values: %s", f.name, s.Label, s.Unfit)
		}
		if k > 0 && s.SamplesPerRecord != per {
			return nil, fmt.Errorf("%s: signal %q has another rate than %q", f.name, s.Label, f.Signals[signals[0]].Label)
		}
		per = s.SamplesPerRecord
		x[k] = make([]float64, 0, max(0, to-from))
	}
	if len(signals) == 0 {
		return x, nil
	}
	if from < 0 || from > to || to > per*f.Records {
		return nil, fmt.Errorf("%s: its samples %d to %d are asked for and it has %d", f.name, from, to, per*f.Records)
	}
	if from == to {
		return x, nil
	}
	offsets := f.offsets()
	err := f.records(ctx, from/per, (to-1)/per+1, func(r int, b []byte) {
		for k, i := range signals {
			gain, offset := f.Signals[i].scale()
			at := r * per
			f.digits(b[offsets[i]:offsets[i+1]], func(v int32) {
				if at >= from && at < to {
					x[k] = append(x[k], gain*float64(v)+offset)
				}
				at++
			})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return x, nil
}

// Digital reads the samples of one signal as they are stored: those of a signal of
// triggers are codes.
func (f *File) Digital(ctx context.Context, signal int) ([]int32, error) {
	if err := f.sampled(signal); err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	x := make([]int32, 0, f.Records*f.Signals[signal].SamplesPerRecord)
	offsets := f.offsets()
	if err := f.eachRecord(ctx, func(_ int, b []byte) {
		f.digits(b[offsets[signal]:offsets[signal+1]], func(v int32) { x = append(x, v) })
	}); err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return x, nil
}

// sampled is an error where a signal isn't there or holds no samples.
func (f *File) sampled(i int) error {
	if i < 0 || i >= len(f.Signals) || f.Signals[i].IsAnnotation() {
		return fmt.Errorf("signal %d holds no samples", i)
	}
	return nil
}

// offsets returns where each signal begins within a record, and the record's end.
func (f *File) offsets() []int {
	at := make([]int, len(f.Signals)+1)
	for i, s := range f.Signals {
		at[i+1] = at[i] + s.SamplesPerRecord*f.sampleBytes()
	}
	return at
}

// eachRecord calls do with the bytes of every record, which are not its to keep.
func (f *File) eachRecord(ctx context.Context, do func(r int, b []byte)) error {
	return f.records(ctx, 0, f.Records, do)
}

// records calls do with the bytes of the records [first, end), which are not its to keep.
func (f *File) records(ctx context.Context, first, end int, do func(r int, b []byte)) error {
	record := int(f.recordBytes())
	if record == 0 {
		return nil
	}
	perBlock := max(1, blockBytes/record)
	buf := make([]byte, min(perBlock, end-first)*record)
	for ; first < end; first += perBlock {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(perBlock, end-first)
		if _, err := f.r.ReadAt(buf[:n*record], f.headerBytes()+int64(first)*int64(record)); err != nil {
			return fmt.Errorf("reading data record %d: %w", first+1, err)
		}
		for r := range n {
			do(first+r, buf[r*record:(r+1)*record])
		}
	}
	return nil
}

// digits calls do for every sample in the bytes of a signal.
func (f *File) digits(b []byte, do func(int32)) {
	if f.BDF {
		for ; len(b) >= 3; b = b[3:] {
			do(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24) >> 8)
		}
		return
	}
	for ; len(b) >= 2; b = b[2:] {
		do(int32(int16(uint16(b[0]) | uint16(b[1])<<8)))
	}
}
