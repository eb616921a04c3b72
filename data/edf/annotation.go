package edf

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/internal/note"
)

// An Annotation is a text that belongs to a time.
type Annotation struct {
	Onset    float64 // seconds from the file's start
	Duration float64 // seconds; 0 where the file gives none
	Text     string  // the bytes of the file, which should be UTF-8 and need not be
}

// Separators within a time-stamped annotation list (TAL).
const (
	talText     = 0x14 // ends the onset, the duration and each text
	talDuration = 0x15 // begins the duration
	talEnd      = 0x00 // ends a list
)

// lists collects the annotations of a file.
type lists struct {
	f           *File
	annotations []Annotation
	starts      []float64 // of the records; NaN where one has no time
	timed       int       // records that have a time
	broken      []string  // lists that can't be read
	mended      []string  // lists that are read, but not as they stand
}

func newLists(f *File) *lists {
	return &lists{f: f, starts: make([]float64, 0, f.Records)}
}

// add takes those of record number r, whose bytes are b. The first list of the first
// annotation signal holds the record's own time.
func (l *lists) add(b []byte, offsets []int, r int) {
	if !l.f.Plus {
		return
	}
	start := math.NaN()
	first := true
	for i, s := range l.f.Signals {
		if !s.IsAnnotation() || s.SamplesPerRecord == 0 {
			continue
		}
		p := parseTALs(b[offsets[i]:offsets[i+1]])
		if first && p.timed {
			start = p.start
			l.timed++
		}
		first = false
		l.annotations = append(l.annotations, p.list...)
		l.broken = appendPlaced(l.broken, p.broken, r)
		l.mended = appendPlaced(l.mended, p.mended, r)
	}
	l.starts = append(l.starts, start)
}

// appendPlaced appends the faults found in record r, with its number.
func appendPlaced(all, found []string, r int) []string {
	for _, x := range found {
		all = append(all, fmt.Sprintf("%s in data record %d", x, r+1))
	}
	return all
}

// finish puts the annotations and the times of records into c.
func (l *lists) finish(c *Contents) error {
	c.Annotations = l.annotations
	sortAnnotations(c.Annotations)
	if n := len(l.broken); n > 0 {
		c.Notes = append(c.Notes, note.New(note.LeftOut, "%d list(s) of annotations can't be read and are left out: %s.", n, note.Some(l.broken, 3)))
	}
	if n := len(l.mended); n > 0 {
		c.Notes = append(c.Notes, note.New(note.Corrected, "%d annotation(s) are not written as EDF+ asks and are read all the same: %s.", n, note.Some(l.mended, 3)))
	}
	if l.timed > 0 {
		c.Starts = l.starts
		l.fill(c)
	}
	return l.check(c)
}

// fill gives records without a time, whose neighbours leave room for them and no gap, that
// time.
func (l *lists) fill(c *Contents) {
	if l.timed == len(l.starts) {
		return
	}
	seconds := l.f.RecordSeconds
	last := -1 // the last record that has a time
	for r := 0; r <= len(l.starts); r++ {
		if r < len(l.starts) && math.IsNaN(l.starts[r]) {
			continue
		}
		if r == len(l.starts) && l.f.Discontinuous {
			break
		}
		for k := last + 1; k < r; k++ {
			switch {
			case last >= 0:
				at := l.starts[last] + float64(k-last)*seconds
				if r < len(l.starts) && math.Abs(at+float64(r-k)*seconds-l.starts[r]) > 1e-3*seconds {
					continue // there is a gap somewhere between
				}
				l.starts[k] = at
			case r < len(l.starts):
				l.starts[k] = l.starts[r] - float64(r-k)*seconds
			}
		}
		last = r
	}
	c.Notes = append(c.Notes, note.New(note.Assumed, "%d data record(s) have no time of their own: they are taken to follow one another.", len(l.starts)-l.timed))
}

// check finds times that can't be true. Only an interrupted recording can't do without.
func (l *lists) check(c *Contents) error {
	if l.f.Discontinuous && !l.f.hasAnnotations() {
		return fmt.Errorf("it calls itself interrupted (EDF+D) and has no annotation signal, so that its records have no time: the file is damaged")
	}
	missing := slices.IndexFunc(l.starts, math.IsNaN)
	if l.f.Discontinuous {
		if missing >= 0 {
			return fmt.Errorf("data record %d of this interrupted recording (EDF+D) has no time: the file is damaged", missing+1)
		}
		return nil
	}
	if missing >= 0 {
		c.Starts = nil
		return nil
	}
	return l.checkContinuous(c)
}

// checkContinuous compares the times of a recording that isn't called interrupted with
// those of consecutive records.
func (l *lists) checkContinuous(c *Contents) error {
	for r := 1; r < len(c.Starts); r++ {
		if c.Starts[r]-c.Starts[r-1] < l.f.RecordSeconds/2 {
			c.Notes = append(c.Notes, note.New(note.Assumed, "The times of its data records can't be true (%g s and then %g s, in data record %d): the records are taken to follow one another.", c.Starts[r-1], c.Starts[r], r+1))
			c.Starts = nil
			return nil
		}
	}
	if n := len(l.f.Segments(c)); n > 1 {
		c.Notes = append(c.Notes, note.New(note.Assumed, "The times of its data records have %d gap(s), though its header calls it continuous: it is read as interrupted.", n-1))
	}
	return nil
}

// tals are the lists in one annotation signal of one record.
type tals struct {
	list           []Annotation
	start          float64
	timed          bool // the first list has an empty text, which makes its onset the record's
	broken, mended []string
}

func parseTALs(b []byte) (p tals) {
	for n := 0; ; n++ {
		b = bytes.TrimLeft(b, "\x00")
		if len(b) == 0 {
			return p
		}
		end := bytes.IndexByte(b, talEnd)
		if end < 0 {
			end = len(b)
		}
		p.parse(b[:end], n == 0)
		b = b[end:]
	}
}

// parse reads one list.
func (p *tals) parse(tal []byte, first bool) {
	head, texts, ok := bytes.Cut(tal, []byte{talText})
	if !ok {
		p.broken = append(p.broken, fmt.Sprintf("%q, which has no onset ended by byte 0x14,", clipBytes(tal)))
		return
	}
	on, dur, _ := bytes.Cut(head, []byte{talDuration})
	onset, plain, err := seconds(on, true)
	if err != nil {
		p.broken = append(p.broken, err.Error())
		return
	}
	if !plain {
		p.mended = append(p.mended, fmt.Sprintf("onset %q as %g s", clipBytes(on), onset))
	}
	duration := 0.0
	if len(dur) > 0 {
		if duration, plain, err = seconds(dur, false); err != nil || duration < 0 {
			p.mended = append(p.mended, fmt.Sprintf("duration %q as none", clipBytes(dur)))
			duration = 0
		} else if !plain {
			p.mended = append(p.mended, fmt.Sprintf("duration %q as %g s", clipBytes(dur), duration))
		}
	}
	if len(texts) > 0 && texts[len(texts)-1] != talText {
		p.mended = append(p.mended, fmt.Sprintf("a text that is not ended by byte 0x14, at %g s,", onset))
	}
	for i := 0; len(texts) > 0; i++ {
		var text []byte
		text, texts, _ = bytes.Cut(texts, []byte{talText})
		if len(text) == 0 {
			if first && i == 0 {
				p.start, p.timed = onset, true
			}
			continue
		}
		p.list = append(p.list, Annotation{onset, duration, string(text)})
	}
}

// seconds reads a time. plain says that it is written as the format asks.
func seconds(b []byte, signed bool) (v float64, plain bool, err error) {
	t := strings.TrimSpace(string(b))
	v, err = strconv.ParseFloat(strings.Replace(t, ",", ".", 1), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, false, fmt.Errorf("%q, which is not a time in seconds,", clipBytes(b))
	}
	hasSign := t[0] == '+' || t[0] == '-'
	return v, t == string(b) && !strings.Contains(t, ",") && (hasSign || !signed), nil
}

// clipBytes shortens bytes for a message.
func clipBytes(b []byte) []byte {
	if len(b) > 40 {
		return b[:40]
	}
	return b
}

func sortAnnotations(a []Annotation) {
	slices.SortStableFunc(a, func(x, y Annotation) int { return cmp.Compare(x.Onset, y.Onset) })
}
