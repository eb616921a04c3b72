package source

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/eegprune/eegprune/data/edf"
)

// spans are the electrodes of an EDF or BDF file, of which parts are read.
type spans struct {
	*edf.File
	signals []int
	rate    float64
	length  int // samples
}

// openSpans opens a file in which each electrode is a signal by its name, as montages spell it or
// with a prefix such as EEG.
func openSpans(path string, names []string) (*spans, error) {
	file, err := edf.Open(path)
	if err != nil {
		return nil, err
	}
	s := &spans{File: file}
	var labels []string
	for _, signal := range file.Signals {
		labels = append(labels, strings.TrimPrefix(signal.Label, "EEG "))
	}
	for _, n := range names {
		i := indexOf(labels, n)
		if i < 0 {
			return nil, errors.Join(fmt.Errorf("it has no channel %s: it has %s", n, strings.Join(labels, " ")), file.Close())
		}
		s.signals = append(s.signals, i)
	}
	if len(s.signals) > 0 {
		s.measure()
	}
	return s, nil
}

// measure takes rate and length from the first of the signals.
func (s *spans) measure() {
	s.rate = s.File.Rate(s.signals[0])
	s.length = s.File.Signals[s.signals[0]].SamplesPerRecord * s.File.Records
}

// between is the samples from one time to another, in seconds from the file's start.
func (s *spans) between(from, to float64) (block, error) {
	first, end := samples(max(0, from), s.rate), samples(max(0, to), s.rate)
	if first >= end || end > s.length {
		return block{}, because(fmt.Errorf("it lasts from %.6g to %.6g s, and the file has %.6g s: it is cut off, or its events are another's", from, to, float64(s.length)/s.rate), s.Notes)
	}
	return block{len(s.signals), end - first, func(ctx context.Context, rows []int) ([][]float64, error) {
		signals := make([]int, len(rows))
		for i, r := range rows {
			signals[i] = s.signals[r]
		}
		x, err := s.Span(ctx, signals, first, end)
		for i := range x {
			factor, _ := microvolts(s.File.Signals[signals[i]].Dimension)
			for k := range x[i] {
				x[i][k] *= factor
			}
		}
		return x, err
	}}, nil
}
