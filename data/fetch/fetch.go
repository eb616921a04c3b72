// Package fetch downloads open data sets from PhysioNet and OpenNeuro, file by file, with their
// checksums. After a broken connection or an interrupt, a download goes on from the part that
// came.
package fetch

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options change how a set is fetched. The zero value is fine.
type Options struct {
	Subjects []string // only these, named as in the set ("03") or by number; nil for all
	Parallel int      // connections at once; 0: 4
	Client   *http.Client
	// Progress, where it isn't nil, is called after each file, by one goroutine
	// at a time.
	Progress func(done, total int, file string)
	// Pause is waited before a broken connection is tried again, and twice as
	// long each time after; 0: one second.
	Pause time.Duration
	// Stall is how long nothing may come before a connection counts as broken;
	// 0: one minute.
	Stall time.Duration
}

// A Plan lists the files to download. Get downloads them.
type Plan struct {
	Set   Set
	Files []File

	fetcher *fetcher
}

// A Result counts the files and bytes of a fetch.
type Result struct {
	Files   int   // in the directory now
	Present int   // of those, were there before
	Bytes   int64 // got over the network
	// BySize is how many of the files have no checksum at their source, and were checked by their
	// size alone.
	BySize int
}

// Prepare finds out which files of a set are wanted, how large they are, and which of them a
// directory holds already. It writes nothing.
func Prepare(ctx context.Context, s Set, dir string, o Options) (*Plan, error) {
	match, err := regexp.Compile(s.Match)
	if err != nil {
		return nil, fmt.Errorf("choosing files of %s: %w", s.Name, err)
	}
	f := &fetcher{set: s, dir: dir, options: o, client: o.Client}
	if f.client == nil {
		f.client = http.DefaultClient
	}
	files, err := f.list(ctx, match)
	if err != nil {
		return nil, err
	}
	if files, err = of(files, o.Subjects); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	g, working := f.group(ctx)
	for i := range files {
		g.Go(func() (err error) {
			w := &files[i]
			target := f.target(*w)
			if w.Present = isThere(target, *w); w.Present {
				w.Size = sizeOf(target)
			} else if w.Size < 0 {
				w.Size, err = f.size(working, w.Name)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("asking how large the files of %s are: %w", s.Name, err)
	}
	return &Plan{Set: s, Files: files, fetcher: f}, nil
}

// Bytes is how large the files are together, and how many bytes are yet to come; of a file that
// is there in part, the rest. Those of unknown size count for nothing.
func (p *Plan) Bytes() (all, missing int64) {
	for _, w := range p.Files {
		if w.Size < 0 {
			continue
		}
		all += w.Size
		if !w.Present {
			missing += max(0, w.Size-max(0, sizeOf(p.fetcher.part(w))))
		}
	}
	return all, missing
}

// Get gets the files into the directory.
func (p *Plan) Get(ctx context.Context) (*Result, error) {
	f := p.fetcher
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory for %s: %w", p.Set.Name, err)
	}
	if _, missing := p.Bytes(); missing > 0 {
		if free, ok := freeSpace(f.dir); ok && free < missing {
			return nil, fmt.Errorf("%s has %.1f GB free, and %.1f GB of %s are yet to come: make room, name another directory, or get fewer subjects", f.dir, float64(free)/1e9, float64(missing)/1e9, p.Set.Name)
		}
	}
	g, working := f.group(ctx)
	for _, w := range p.Files {
		g.Go(func() error { return f.one(working, w, len(p.Files)) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return &f.result, nil
}

type fetcher struct {
	set     Set
	dir     string
	options Options
	client  *http.Client

	mu     sync.Mutex
	result Result
}

// group works on as many files at once as there may be connections.
func (f *fetcher) group(ctx context.Context) (*errgroup.Group, context.Context) {
	g, working := errgroup.WithContext(ctx)
	g.SetLimit(max(1, cmp.Or(f.options.Parallel, 4)))
	return g, working
}

// one gets one file, unless it is there already.
func (f *fetcher) one(ctx context.Context, w File, total int) error {
	var got int64
	if !w.Present {
		target := f.target(w)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return fmt.Errorf("making the directory for %s: %w", w.Name, err)
		}
		var err error
		if got, err = f.download(ctx, w, target); err != nil {
			return fmt.Errorf("getting %s of %s: %w", w.Name, f.set.Name, err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.result.Files++
	f.result.Bytes += got
	if w.Present {
		f.result.Present++
	}
	if w.sum == "" {
		f.result.BySize++
	}
	if f.options.Progress != nil {
		f.options.Progress(f.result.Files, total, w.Name)
	}
	return nil
}

// target is where a file is put, and part where it grows.
func (f *fetcher) target(w File) string { return filepath.Join(f.dir, filepath.FromSlash(w.Name)) }

// Without a checksum a part of another version of the file would not be noticed: its name says of
// which it is.
func (f *fetcher) part(w File) string {
	if w.sum == "" && w.tag != "" {
		return f.target(w) + "." + url.PathEscape(w.tag) + ".part"
	}
	return f.target(w) + ".part"
}

// address returns where a file is.
func (f *fetcher) address(name string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return f.set.URL + strings.Join(parts, "/")
}
