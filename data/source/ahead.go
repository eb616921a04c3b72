package source

import (
	"context"
	"iter"
	"os"
	"sync"
)

const (
	// maxAhead is how many files are read at once at the most.
	maxAhead = 8
	// aheadBytes bounds the recordings that were read ahead. The garbage collector lets the
	// program take up to twice as much.
	aheadBytes = 96 << 20
)

// recordings reads the files in order and reads ahead while the caller works on a
// recording: several files at once where there are many workers. done, where it isn't nil,
// is called when the caller has had all recordings of a file. After an error, which names
// the file, it goes on with the next file if the caller does.
func (s *Source) recordings(ctx context.Context, workers int, done func(File)) iter.Seq2[*Recording, error] {
	return func(yield func(*Recording, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		ahead := newAhead(len(s.Files))
		stop := context.AfterFunc(ctx, ahead.wake)
		var reading sync.WaitGroup
		defer func() {
			stop()
			cancel()
			ahead.wake()
			reading.Wait()
		}()
		files := min(max(1, workers/2), maxAhead)
		begin := func(i int) {
			if i < len(s.Files) {
				reading.Go(func() { s.readInto(ctx, ahead, i) })
			}
		}
		for i := range files {
			begin(i)
		}
		n := numbering{manifest: s.Manifest}
		for i, f := range s.Files {
			begin(i + files)
			for {
				r, ok := ahead.take(ctx, i)
				if !ok {
					break
				}
				if r.err == nil {
					n.number(r.recording, f)
				}
				if !yield(r.recording, r.err) {
					return
				}
			}
			if ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			n.nextFile()
			if done != nil {
				done(f)
			}
		}
	}
}

// readInto reads one file as far ahead as there is room.
func (s *Source) readInto(ctx context.Context, to *ahead, i int) {
	defer to.finish(i)
	whole := s.wholeBytes(s.Files[i])
	if !to.room(ctx, i, whole) {
		return
	}
	defer to.free(whole)
	for r, err := range s.read(ctx, s.Files[i]) {
		if !to.room(ctx, i, r.Bytes()) {
			return
		}
		to.put(i, readAhead{r, err})
	}
}

// wholeBytes is the size of a file that its reader holds in memory while it reads; 0 for a
// format that streams.
func (s *Source) wholeBytes(f File) int64 {
	if s.Manifest.format().streams {
		return 0
	}
	if own, ok := formatOfFile(f.Name); ok && own.streams {
		return 0
	}
	info, err := os.Stat(f.Path)
	if err != nil {
		return 0 // the reader reports the error
	}
	return info.Size() // files of samples beside it are read piece by piece
}

type readAhead struct {
	recording *Recording
	err       error
}

// ahead holds, by file, the recordings that were read and not yet taken.
type ahead struct {
	mu      sync.Mutex
	changed *sync.Cond
	waiting [][]readAhead
	done    []bool
	current int // the file that recordings are taken from
	used    int64
}

func newAhead(files int) *ahead {
	a := &ahead{waiting: make([][]readAhead, files), done: make([]bool, files)}
	a.changed = sync.NewCond(&a.mu)
	return a
}

// wake makes all that wait look again, for the context has ended.
func (a *ahead) wake() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changed.Broadcast()
}

// room waits until n more bytes may be held for a file. The file that the caller waits for
// has room at once, or all would wait for it. It returns false when the context has ended.
func (a *ahead) room(ctx context.Context, file int, n int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.used+n > aheadBytes && (file != a.current || len(a.waiting[file]) > 0) && ctx.Err() == nil {
		a.changed.Wait()
	}
	a.used += n
	return ctx.Err() == nil
}

func (a *ahead) free(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used -= n
	a.changed.Broadcast()
}

func (a *ahead) put(file int, r readAhead) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting[file] = append(a.waiting[file], r)
	a.changed.Broadcast()
}

func (a *ahead) finish(file int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done[file] = true
	a.changed.Broadcast()
}

// take waits for the next recording of a file, which becomes the current one. It
// returns false where there are no more, or the context has ended.
func (a *ahead) take(ctx context.Context, file int) (r readAhead, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current != file {
		a.current = file
		a.changed.Broadcast()
	}
	for len(a.waiting[file]) == 0 && !a.done[file] && ctx.Err() == nil {
		a.changed.Wait()
	}
	if len(a.waiting[file]) == 0 || ctx.Err() != nil {
		return r, false
	}
	list := a.waiting[file]
	r, list[0] = list[0], readAhead{} // or the list would hold on to it
	a.waiting[file] = list[1:]
	a.used -= r.recording.Bytes()
	a.changed.Broadcast()
	return r, true
}
