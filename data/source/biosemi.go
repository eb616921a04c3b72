package source

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/note"
)

// A biosemi is a BDF file with a channel of codes, from which data sets cut their trials.
type biosemi struct {
	rate  float64
	names []string    // of the electrodes, those that the manifest names
	x     [][]float64 // samples of each, in microvolts
	codes []code      // as they begin
	notes []note.Note // of the file
}

// A code begins at a sample.
type code struct{ sample, value int }

// openBioSemi reads the electrodes that a manifest names, and the codes of the channel Status. Of
// these the lowest eight bits count: above them is the state of the amplifier.
func openBioSemi(ctx context.Context, m *Manifest, path string) (b *biosemi, err error) {
	file, err := edf.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	b = &biosemi{notes: file.Notes}
	if b.names, err = m.Signal.electrodes(); err != nil {
		return nil, err
	}
	var labels []string
	status := -1
	for i, s := range file.Signals {
		labels = append(labels, s.Label)
		if _, kind := montage.Canonical(s.Label); kind == montage.Trigger && status < 0 {
			status = i
		}
	}
	if status < 0 { // some of DEAP's have no name for it
		status = slices.IndexFunc(labels, func(l string) bool { return l == "" })
	}
	if status < 0 {
		return nil, fmt.Errorf("it has no channel Status, whose codes say where trials are: it has %v", labels)
	}
	signals := make([]int, len(b.names))
	for i, n := range b.names {
		if signals[i] = indexOf(labels, n); signals[i] < 0 {
			return nil, fmt.Errorf("it has no channel %s: it has %v", n, labels)
		}
	}
	b.rate = file.Rate(signals[0])
	contents, err := file.Read(ctx, signals)
	if err != nil {
		return nil, err
	}
	b.x = contents.Signals
	digital, err := file.Digital(ctx, status)
	if err != nil {
		return nil, err
	}
	before := 0
	for i, v := range digital {
		v := int(v & 0xff)
		if v != before && v != 0 {
			b.codes = append(b.codes, code{i, v})
		}
		before = v
	}
	return b, nil
}

// part is the samples [from, to) of all electrodes.
func (b *biosemi) part(from, to int) (block, error) {
	if from < 0 || from >= to || to > len(b.x[0]) {
		return block{}, fmt.Errorf("its samples %d to %d are asked for and it has %d: the file is cut off", from, to, len(b.x[0]))
	}
	return block{len(b.names), to - from, func(_ context.Context, rows []int) ([][]float64, error) {
		list := picked(b.x, rows)
		for i := range list {
			list[i] = list[i][from:to:to]
		}
		return list, nil
	}}, nil
}
