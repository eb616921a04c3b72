package edf

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// An Annotation is a text that belongs to a time.
type Annotation struct {
	Onset    float64 // seconds from the file's start
	Duration float64 // seconds; 0 where the file gives none
	Text     string
}

// Separators within a time-stamped annotation list (TAL).
const (
	talText     = 0x14 // ends the onset, the duration and each text
	talDuration = 0x15 // begins the duration
	talEnd      = 0x00 // ends a list
)

// annotations adds those of record number r, whose bytes are b. The first list
// of the first annotation signal holds the record's own time.
func (d *decoder) annotations(c *Contents, b []byte, r int) error {
	if !d.f.Plus {
		return nil
	}
	first := true
	for i, s := range d.f.Signals {
		if !s.IsAnnotation() {
			continue
		}
		list, start, timed, err := parseTALs(b[d.offsets[i]:d.offsets[i+1]])
		if err != nil {
			return fmt.Errorf("annotations of data record %d: %w", r+1, err)
		}
		if first {
			if timed && len(c.Starts) == r {
				c.Starts = append(c.Starts, start)
			} else if d.f.Discontinuous {
				return fmt.Errorf("data record %d of this interrupted recording (EDF+D) has no time: the file is damaged", r+1)
			}
		}
		first = false
		c.Annotations = append(c.Annotations, list...)
	}
	if first && d.f.Discontinuous {
		return fmt.Errorf("it calls itself interrupted (EDF+D) and has no annotation signal, so that its records have no time: the file is damaged")
	}
	return nil
}

// parseTALs reads the lists in one annotation signal of one record. timed says
// whether the first list has an empty text, which makes its onset the record's.
func parseTALs(b []byte) (list []Annotation, start float64, timed bool, err error) {
	for n := 0; ; n++ {
		b = bytes.TrimLeft(b, "\x00")
		if len(b) == 0 {
			return list, start, timed, nil
		}
		end := bytes.IndexByte(b, talEnd)
		if end < 0 {
			end = len(b)
		}
		tal := b[:end]
		b = b[end:]
		head, texts, ok := bytes.Cut(tal, []byte{talText})
		if !ok {
			return nil, 0, false, fmt.Errorf("%q has no onset ended by byte 0x14", clipBytes(tal))
		}
		onset, duration, err := parseOnset(head)
		if err != nil {
			return nil, 0, false, err
		}
		for i := 0; len(texts) > 0; i++ {
			var text []byte
			text, texts, _ = bytes.Cut(texts, []byte{talText})
			if len(text) == 0 {
				if n == 0 && i == 0 {
					start, timed = onset, true
				}
				continue
			}
			list = append(list, Annotation{onset, duration, string(bytes.ToValidUTF8(text, []byte("?")))})
		}
	}
}

func parseOnset(head []byte) (onset, duration float64, err error) {
	on, dur, has := bytes.Cut(head, []byte{talDuration})
	if len(on) == 0 || (on[0] != '+' && on[0] != '-') {
		return 0, 0, fmt.Errorf("onset %q has no sign", clipBytes(on))
	}
	onset, err = seconds(on)
	if err == nil && has && len(dur) > 0 {
		duration, err = seconds(dur)
	}
	return onset, max(0, duration), err
}

func seconds(b []byte) (float64, error) {
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is not a time in seconds", clipBytes(b))
	}
	return v, nil
}

// clipBytes shortens what goes into an error message.
func clipBytes(b []byte) []byte {
	if len(b) > 40 {
		return b[:40]
	}
	return b
}

func sortAnnotations(a []Annotation) {
	slices.SortStableFunc(a, func(x, y Annotation) int { return cmp.Compare(x.Onset, y.Onset) })
}

// A Segment is a run of records that follow one another without a gap.
type Segment struct {
	First, Records int     // the run
	Start          float64 // seconds from the file's start
}

// Segments returns the runs of a file. A continuous file is one run.
func (f *File) Segments(c *Contents) []Segment {
	if !f.Discontinuous || len(c.Starts) != f.Records || f.Records == 0 {
		// A recording that began within a second says so in its first record.
		start := 0.0
		if len(c.Starts) > 0 {
			start = c.Starts[0]
		}
		return []Segment{{0, f.Records, start}}
	}
	var s []Segment
	for r, t := range c.Starts {
		if r > 0 && math.Abs(t-c.Starts[r-1]-f.RecordSeconds) < gapTolerance*f.RecordSeconds {
			s[len(s)-1].Records++
			continue
		}
		s = append(s, Segment{r, 1, t})
	}
	return s
}

// gapTolerance is how far, as a part of a record, two records may be apart by
// the rounding of their times and still be one run.
const gapTolerance = 1e-3
