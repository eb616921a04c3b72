package source

import (
	"context"
	"fmt"

	"github.com/eegprune/eegprune/internal/note"
)

// Progress says how far a computation has come.
type Progress struct {
	Done, Total int    // files
	File        string // the last one done
}

// A Walk goes through the recordings of a source.
type Walk struct {
	// Workers is how many recordings are worked on at once; half as many files are read at
	// once, at least one. It doesn't change the recordings.
	Workers int
	// SkipBad goes on after a file that can't be read, and tells Bad why.
	SkipBad bool
	Bad     func(error)
	// Progress, where it isn't nil, is called at the start and after each file.
	Progress func(Progress)
	// Notes receives notes made on the way: of recordings that are there twice.
	Notes *note.List
}

// Each calls do for every recording of the source in order, but for those that are there
// twice. A file that can't be read, or the error of do, ends it unless bad files are to be
// skipped.
func (s *Source) Each(ctx context.Context, w Walk, do func(*Recording) error) error {
	p := Progress{Total: len(s.Files)}
	tell := func() {
		if w.Progress != nil {
			w.Progress(p)
		}
	}
	tell()
	var seen repeats
	given := 0 // recordings of the file that is being read
	fileDone := func(f File) {
		given = 0
		p.Done, p.File = p.Done+1, f.Path
		tell()
	}
	for r, err := range s.recordings(ctx, w.Workers, fileDone) {
		broken := err != nil
		if !broken {
			given++
			said, leave := seen.of(r)
			if said.What != "" {
				w.Notes.Add(r.File, said)
			}
			if leave {
				continue
			}
			err = do(r)
		}
		if err == nil {
			continue
		}
		if !w.SkipBad || ctx.Err() != nil {
			return err
		}
		if broken && given > 0 {
			err = fmt.Errorf("%w (its %d trials before that are kept)", err, given)
		}
		w.Bad(err)
	}
	return nil
}
