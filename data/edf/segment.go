package edf

import (
	"math"
	"sort"
)

// A Segment is a run of records that follow one another without a gap.
type Segment struct {
	First, Records int     // the run
	Start          float64 // seconds from the file's start

	starts []float64 // of its records, where they are not as far apart as the header says
	record float64   // seconds of one
}

// Seconds returns how long the segment lasts.
func (s Segment) Seconds() float64 {
	if n := len(s.starts); n > 0 {
		return s.starts[n-1] + s.record - s.Start
	}
	return float64(s.Records) * s.record
}

// At returns how many records of the segment have passed at a time, in seconds from the
// file's start: 2.5 is the middle of the third. Before the segment it is negative, and
// after it more than its records.
func (s Segment) At(t float64) float64 {
	if len(s.starts) == 0 || t < s.Start {
		return (t - s.Start) / s.record
	}
	// The last record that begins before.
	r := sort.Search(len(s.starts), func(i int) bool { return s.starts[i] > t }) - 1
	passed := (t - s.starts[r]) / s.record
	if r+1 < len(s.starts) {
		passed = min(1, passed)
	}
	return float64(r) + passed
}

// Segments returns the runs of a file: one, unless the times of its records have gaps. A
// difference of less than half a sample, or within the rounding of the times, is none.
func (f *File) Segments(c *Contents) []Segment {
	if len(c.Starts) != f.Records || f.Records == 0 {
		return []Segment{{First: 0, Records: f.Records, record: f.RecordSeconds}}
	}
	tolerance := f.gapTolerance(c.Starts)
	var s []Segment
	for r, t := range c.Starts {
		if r > 0 && math.Abs(t-c.Starts[r-1]-f.RecordSeconds) <= tolerance {
			s[len(s)-1].Records++
			continue
		}
		s = append(s, Segment{First: r, Records: 1, Start: t, record: f.RecordSeconds})
	}
	for i, x := range s {
		starts := c.Starts[x.First : x.First+x.Records]
		for r, t := range starts {
			if math.Abs(t-x.Start-float64(r)*f.RecordSeconds) > tolerance {
				s[i].starts = starts
				break
			}
		}
	}
	return s
}

// gapTolerance is how far, in seconds, two records may be apart and still be one run.
func (f *File) gapTolerance(starts []float64) float64 {
	fastest := 1
	for _, s := range f.Signals {
		if !s.IsAnnotation() {
			fastest = max(fastest, s.SamplesPerRecord)
		}
	}
	half := f.RecordSeconds / float64(fastest) / 2
	return max(half, 1e-3*f.RecordSeconds, min(rounding(starts), f.RecordSeconds/4))
}

// rounding returns the last decimal place of times, 0 where they have none.
func rounding(times []float64) float64 {
	for unit := 1.0; unit >= 1e-6; unit /= 10 {
		if !exceeds(times, unit) {
			if unit == 1 {
				return 0
			}
			return unit
		}
	}
	return 0
}

// exceeds reports whether one of the times is no multiple of unit.
func exceeds(times []float64, unit float64) bool {
	for _, t := range times {
		x := t / unit
		if math.Abs(x-math.Round(x)) > 1e-6*max(1, math.Abs(x)) {
			return true
		}
	}
	return false
}
