package data

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"eegprune/internal/atomicfile"
	"eegprune/internal/note"
)

// setMagic begins a file that holds a set: its name and the version of its
// layout. After it come the length of the header, the header (JSON), the values
// (float32, little-endian) and the SHA-256 of all before.
const setMagic = "EEGSET02"

// setHeader is all of a set but its values.
type setHeader struct {
	Shape    []int     `json:"shape"`
	Y        []int64   `json:"y"`
	Classes  []string  `json:"classes"`
	Runs     []clipRun `json:"runs"`
	Channels []string  `json:"channels"`
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

// clipsOf is what runsOf was given, or nil if it can't have been of n clips.
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

// Save writes a set to a file, which is whole or not there.
func (s *Set) Save(path string) error {
	return atomicfile.Write(path, s.write)
}

func (s *Set) write(out io.Writer) error {
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(out, sum), 1<<20)
	header, err := json.Marshal(setHeader{s.Shape, s.Y, s.Classes, runsOf(s.Clips), s.Channels, s.Rate, s.Notes})
	if err != nil {
		return err
	}
	var eight [8]byte
	binary.LittleEndian.PutUint64(eight[:], uint64(len(header)))
	for _, b := range [][]byte{[]byte(setMagic), eight[:], header} {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	for _, v := range s.X {
		binary.LittleEndian.PutUint32(eight[:4], math.Float32bits(v))
		if _, err := w.Write(eight[:4]); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = out.Write(sum.Sum(nil))
	return err
}

// errSetDamaged is a file of a set that isn't as it was written.
var errSetDamaged = errors.New("it is no file of features, or damaged: remove it, so that it is made anew")

// LoadSet reads a set from a file that [Set.Save] wrote, and checks that it is
// as it was written.
func LoadSet(path string) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	var s *Set
	if err == nil {
		s, err = readSet(f, info.Size())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func readSet(in io.Reader, size int64) (*Set, error) {
	const fixed = int64(len(setMagic)) + 8
	sum := sha256.New()
	r := io.TeeReader(in, sum)
	start := make([]byte, fixed)
	if _, err := io.ReadFull(r, start); err != nil || string(start[:len(setMagic)]) != setMagic {
		return nil, errSetDamaged
	}
	length := binary.LittleEndian.Uint64(start[len(setMagic):])
	rest := size - fixed - sha256.Size
	if rest < 0 || length > uint64(rest) || (uint64(rest)-length)%4 != 0 {
		return nil, errSetDamaged
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, errSetDamaged
	}
	var h setHeader
	if err := json.Unmarshal(header, &h); err != nil {
		return nil, errSetDamaged
	}
	s := &Set{Shape: h.Shape, Y: h.Y, Classes: h.Classes, Clips: clipsOf(h.Runs, len(h.Y)), Channels: h.Channels, Rate: h.Rate, Notes: h.Notes}
	s.X = make([]float32, (rest-int64(length))/4)
	if err := readFloats(r, s.X); err != nil {
		return nil, errSetDamaged
	}
	want := make([]byte, sha256.Size)
	if _, err := io.ReadFull(in, want); err != nil || !bytes.Equal(want, sum.Sum(nil)) {
		return nil, errSetDamaged
	}
	if err := s.checkRows(); err != nil {
		return nil, errSetDamaged
	}
	return s, nil
}

func readFloats(r io.Reader, x []float32) error {
	buf := make([]byte, min(4*len(x), 1<<18)) // stays in the processor's cache
	for len(x) > 0 {
		n := min(len(x), len(buf)/4)
		if _, err := io.ReadFull(r, buf[:4*n]); err != nil {
			return err
		}
		for i := range n {
			x[i] = math.Float32frombits(binary.LittleEndian.Uint32(buf[4*i:]))
		}
		x = x[n:]
	}
	return nil
}
