package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/eegprune/eegprune/internal/note"
)

// setMagic begins a file that holds a set: its name and the version of its
// layout. After it come zeros up to valuesAt, the values (float32, little-endian), the
// header (JSON), its length (8 bytes, little-endian) and the SHA-256 of all before, the
// values first: all but they is known only when the last recording was read.
const setMagic = "EEGSET03"

// valuesAt is where the values begin, at a page of memory.
const valuesAt = 4096

// setHeader is all of a set but its values.
type setHeader struct {
	Shape    []int     `json:"shape"`
	Y        []int64   `json:"y"`
	Classes  []string  `json:"classes"`
	Runs     []clipRun `json:"runs"`
	Channels []string  `json:"channels"`
	Recorded []string  `json:"recorded,omitempty"`
	Rate     float64   `json:"rate"`
	Notes    note.List `json:"notes,omitempty"`
}

// A clipRun is clips that follow one another at equal steps. A set has hundreds of
// thousands of clips and hundreds of trials: one by one they take longer to read
// than the values.
type clipRun struct {
	First Clip `json:"first"`
	Step  int  `json:"step"`
	Count int  `json:"count"`
}

func (r clipRun) clip(i int) Clip {
	c := r.First
	c.Start += i * r.Step
	c.End += i * r.Step
	return c
}

func runsOf(clips []Clip) []clipRun {
	var runs []clipRun
	for _, c := range clips {
		if n := len(runs) - 1; n >= 0 {
			r := runs[n]
			if r.Count == 1 {
				r.Step = c.Start - r.First.Start
			}
			if r.clip(r.Count) == c {
				r.Count++
				runs[n] = r
				continue
			}
		}
		runs = append(runs, clipRun{First: c, Count: 1})
	}
	return runs
}

// clipsOf is the inverse of runsOf, nil if the runs can't be of n clips.
func clipsOf(runs []clipRun, n int) []Clip {
	clips := make([]Clip, 0, n)
	for _, r := range runs {
		if r.Count < 1 || r.Count > n-len(clips) {
			return nil
		}
		for i := range r.Count {
			clips = append(clips, r.clip(i))
		}
	}
	return clips
}

// begin writes the bytes before the values.
func begin(w io.Writer) error {
	_, err := w.Write(append([]byte(setMagic), make([]byte, valuesAt-len(setMagic))...))
	return err
}

// keep ends the file of a set, whose values are in it.
func (s *Set) keep(ctx context.Context, v *values) (err error) {
	if v.sum == nil {
		v.sum = sha256.New()
		if err := hashTo(ctx, v.sum, io.NewSectionReader(v.file, valuesAt, 4*int64(v.n))); err != nil {
			return err
		}
	}
	if s.sum, err = cloned(v.sum); err != nil {
		return err
	}
	return s.end(io.NewOffsetWriter(v.file, valuesAt+4*int64(v.n)), v.sum)
}

// end writes the header after the values, which sum has seen.
func (s *Set) end(w io.Writer, sum hash.Hash) error {
	header, err := json.Marshal(setHeader{s.Shape, s.Y, s.Classes, runsOf(s.Clips), s.Channels, s.Recorded, s.Rate, s.Notes})
	if err != nil {
		return err
	}
	header = binary.LittleEndian.AppendUint64(header, uint64(len(header)))
	_ = begin(sum) // neither ever fails
	_, _ = sum.Write(header)
	_, err = w.Write(sum.Sum(header))
	return err
}

// errSetDamaged is a file of a set that isn't as it was written.
var errSetDamaged = errors.New("it is no file of features, or damaged: remove it, so that it is made anew")

// loadSet maps a file that a cache keeps, when it has read it and found it to be as it was
// written. The caller closes the set.
func loadSet(ctx context.Context, path string) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := readSet(ctx, f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	if err := s.hold(f, valuesAt); err != nil {
		return nil, err
	}
	return s, nil
}

// readSet reads all of a set but its values, of which it sees to it only that they are
// those that were written.
func readSet(ctx context.Context, f *os.File) (*Set, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return parseSet(ctx, f, info.Size())
}

func parseSet(ctx context.Context, in io.ReaderAt, size int64) (*Set, error) {
	const last = 8 + sha256.Size
	if size < valuesAt+last {
		return nil, errSetDamaged
	}
	tail := make([]byte, last)
	if err := readAt(in, tail, size-last); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(tail)
	rest := size - valuesAt - last
	if length > uint64(rest) || (uint64(rest)-length)%4 != 0 {
		return nil, errSetDamaged
	}
	values := rest - int64(length)
	sum := sha256.New()
	if err := hashTo(ctx, sum, io.NewSectionReader(in, valuesAt, values)); err != nil {
		return nil, err
	}
	seen, err := cloned(sum)
	if err != nil {
		return nil, err
	}
	start, header := make([]byte, valuesAt), make([]byte, length)
	if err := errors.Join(readAt(in, start, 0), readAt(in, header, valuesAt+values)); err != nil {
		return nil, err
	}
	for _, b := range [][]byte{start, header, tail[:8]} {
		_, _ = sum.Write(b) // it never fails
	}
	if string(start[:len(setMagic)]) != setMagic || !bytes.Equal(tail[8:], sum.Sum(nil)) {
		return nil, errSetDamaged
	}
	var h setHeader
	if err := json.Unmarshal(header, &h); err != nil {
		return nil, errSetDamaged
	}
	s := &Set{Shape: h.Shape, Y: h.Y, Classes: h.Classes, Clips: clipsOf(h.Runs, len(h.Y)), Channels: h.Channels, Recorded: h.Recorded, Rate: h.Rate, Notes: h.Notes,
		sum: seen}
	if err := s.checkRowsOf(int(values / 4)); err != nil {
		return nil, errSetDamaged
	}
	return s, nil
}

// readAt fills b. A file that ends before is damaged.
func readAt(in io.ReaderAt, b []byte, at int64) error {
	_, err := io.ReadFull(io.NewSectionReader(in, at, int64(len(b))), b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errSetDamaged
	}
	return err
}

// hashTo has a hash see all of r.
func hashTo(ctx context.Context, h hash.Hash, r io.Reader) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{readerOf(ctx, r)}, make([]byte, 1<<20))
	return err
}

// cloned returns a hash that has seen the same bytes as h.
func cloned(h hash.Hash) (hash.Hash, error) {
	c, ok := h.(hash.Cloner)
	if !ok {
		return nil, errors.New("a hash can't be copied") // SHA-256's can
	}
	return c.Clone()
}
