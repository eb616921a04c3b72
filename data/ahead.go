package data

import (
	"context"
	"iter"
	"sync"
)

// maxAhead is how many files are read at once at the most. Each may hold some
// hundred megabytes.
const maxAhead = 4

// recordingsAhead is [Source.Recordings] with the next files being read while
// the caller works on what it has, some at once where there are many workers.
// done, where it isn't nil, is called when the caller has had all of a file.
func (s *Source) recordingsAhead(ctx context.Context, workers int, done func(File)) iter.Seq2[*Recording, error] {
	return func(yield func(*Recording, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var reading sync.WaitGroup
		defer reading.Wait()
		defer cancel()
		files := min(max(1, workers/4), maxAhead)
		opened := make([]chan readAhead, len(s.Files))
		begin := func(i int) {
			if i >= len(s.Files) {
				return
			}
			opened[i] = make(chan readAhead, 1)
			reading.Go(func() { s.sendFile(ctx, s.Files[i], opened[i]) })
		}
		for i := range files {
			begin(i)
		}
		n := numbering{manifest: s.Manifest}
		for i, f := range s.Files {
			begin(i + files)
			for r := range opened[i] {
				if r.err == nil {
					n.number(r.recording, f)
				}
				if !yield(r.recording, r.err) {
					return
				}
			}
			n.nextFile()
			if done != nil {
				done(f)
			}
			if ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
		}
	}
}

type readAhead struct {
	recording *Recording
	err       error
}

// sendFile sends the recordings of one file and closes the channel.
func (s *Source) sendFile(ctx context.Context, f File, to chan<- readAhead) {
	defer close(to)
	for r, err := range s.read(ctx, f) {
		select {
		case to <- readAhead{r, err}:
		case <-ctx.Done():
			return
		}
	}
}
