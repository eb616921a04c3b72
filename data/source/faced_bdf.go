package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/internal/note"
)

// facedBDF is FACED's Data: for each subject data.bdf and evt.bdf, whose annotations say which clip
// comes (1 to 28), where it begins (101) and where it ends (102).
func facedBDF() dataset {
	return dataset{
		cite: faced().cite,
		manifest: `
name: faced-bdf
format: faced-bdf
files: '(^|/)sub(?<subject>\d{3})/data\.bdf$'
signal: {rate: 1000, electrodes: [` + facedElectrodes + `]}
`,
		format: format{name: "faced-bdf", about: "FACED's Data (data.bdf and evt.bdf)", units: true, streams: true, read: trialReader(readFACEDBDF).read, labels: facedLabels(),
			beside: []string{facedEvents, facedRemarks}, aside: facedRatings},
		is: func(path string) (bool, error) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), facedEvents)); err != nil {
				return false, err
			}
			file, err := openSpans(path, []string{"Fp1", "O2"})
			if err != nil {
				return false, err
			}
			return true, file.Close()
		},
		whole: faced().whole,
		differs: "samples are as recorded, 1000 a second of some subjects and 250 of others (the preprocessing step Resample brings them to one rate), and all of a clip is read, " +
			"where Processed_data has its last 30 s (LastSeconds); " + facedDiffers,
	}
}

const (
	facedEvents = "evt.bdf"
	facedBegins = 101
	facedEnds   = 102
)

func readFACEDBDF(ctx context.Context, m *Manifest, f File, yield func(trial) error) (err error) {
	felt, notes, err := facedFelt(ctx, f)
	if err != nil {
		return err
	}
	events, said, err := facedShown(ctx, filepath.Join(filepath.Dir(f.Path), facedEvents))
	if err != nil {
		return err
	}
	notes = slices.Concat(notes, said)
	names, err := m.Signal.electrodes()
	if err != nil {
		return err
	}
	file, err := openSpans(f.Path, names)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	notes = slices.Concat(notes, file.Notes)
	clip, begin := 0, -1.0
	for _, e := range events {
		code, err := strconv.Atoi(strings.TrimSpace(e.text))
		switch {
		case err != nil:
		case code >= 1 && code <= facedClips:
			clip = code
		case code == facedBegins:
			begin = e.onset
		case code == facedEnds:
			if clip == 0 || begin < 0 {
				return fmt.Errorf("%s has the end of a clip at %.6g s and no clip that began before it", facedEvents, e.onset)
			}
			t := facedClip(clip, felt[clip])
			t.rate, t.notes = file.rate, notes
			if t.samples, err = file.between(begin, e.onset); err != nil {
				return fmt.Errorf("clip %d: %w", clip, err)
			}
			if err := yield(t); err != nil {
				return err
			}
			clip, begin = 0, -1
		}
	}
	return nil
}

// facedShown reads the onsets of the clips, and returns notes of faults in their file.
func facedShown(ctx context.Context, path string) ([]event, []note.Note, error) {
	events, notes, err := edfAnnotations(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s, which says when its clips were shown, is missing: put it beside it", facedEvents)
	}
	return events, notes, err
}
