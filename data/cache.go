package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/atomicfile"
	"github.com/eegprune/eegprune/internal/magic"
	"github.com/eegprune/eegprune/internal/natural"
)

// featuresVersion changes whenever the same recordings and options give other features
// than before, so that no cache keeps features that the program no longer makes.
const featuresVersion = 3

// A Cache keeps feature sets in a directory. Its files are named by the inputs of the
// features: the contents of the recordings, the manifest, the options and the version of
// the program's features.
type Cache struct{ Dir string }

// CacheDir returns the user's directory for features.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place to keep features (%w): say where by XDG_CACHE_HOME", err)
	}
	return filepath.Join(dir, "eegprune"), nil
}

// Features returns the set of the function [Features], from the cache if it is there; hit
// reports whether it was. Its values are in the cache's file, which the caller closes with
// the set. Processes that want the same set at once make it once: the others wait. A
// damaged file is made anew. A set that Options.Strict refuses is kept all the same, for a
// later call without it.
func (c Cache) Features(ctx context.Context, s *source.Source, o Options) (set *Set, hit bool, err error) {
	strict := o.Strict
	o.Strict = false
	if set, hit, err = c.features(ctx, s, o); err == nil && strict {
		err = set.Notes.Strict()
	}
	return set, hit, err
}

func (c Cache) features(ctx context.Context, s *source.Source, o Options) (set *Set, hit bool, err error) {
	if err := s.NeedLabels(ctx); err != nil { // found before the recordings are read
		return nil, false, err
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, false, fmt.Errorf("making the directory for features: %w", err)
	}
	key, err := c.key(ctx, s, o)
	if err != nil {
		return nil, false, err
	}
	path := filepath.Join(c.Dir, key+".set")
	if set, err := c.load(ctx, path); set != nil || err != nil {
		return set, true, err
	}
	unlock, err := lockFile(ctx, path+".lock")
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	// Another process may have made it while this one waited.
	if set, err := c.load(ctx, path); set != nil || err != nil {
		return set, true, err
	}
	set, err = c.make(ctx, s, o, path)
	return set, false, err
}

// load returns the set of a file, or nil if there is none or it is damaged.
func (c Cache) load(ctx context.Context, path string) (*Set, error) {
	set, err := loadSet(ctx, path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errSetDamaged) {
		return nil, nil
	}
	return set, err
}

// make makes a set in its file, which this process holds the lock of.
func (c Cache) make(ctx context.Context, s *source.Source, o Options, path string) (*Set, error) {
	if err := atomicfile.RemoveLeftovers(path); err != nil {
		return nil, fmt.Errorf("clearing up after a program that was killed: %w", err)
	}
	var set *Set
	var failed error // an error that isn't of writing the file
	err := atomicfile.Build(path, func(f *os.File) error {
		if err := begin(f); err != nil {
			return err
		}
		b := &builder{source: s, options: o, values: keptValues(f)}
		if set, failed = b.features(ctx); failed != nil {
			return failed
		}
		return set.keep(ctx, b.values)
	})
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	debug.FreeOSMemory() // that of recordings is not needed again
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the features: %w", err)
	}
	if err := set.hold(f, valuesAt); err != nil {
		return nil, err
	}
	return set, nil
}

// key is the hash of all that the features depend on.
func (c Cache) key(ctx context.Context, s *source.Source, o Options) (string, error) {
	files, err := c.contents(ctx, s, o.SkipBad)
	if err != nil {
		return "", err
	}
	// Only inputs that change the features count: a manifest's text, its place and the
	// directory's don't.
	m := *s.Manifest
	m.Montage = "" // its places count
	b, err := json.Marshal(struct {
		Version   int
		Manifest  source.Manifest
		Options   Options
		Files     []string
		Positions *montage.Positions `json:",omitempty"`
	}{featuresVersion, m, o, files, s.Positions})
	if err != nil {
		return "", fmt.Errorf("naming the features: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), nil
}

// seenFile is the record of a file whose contents have been read, so that gigabytes aren't
// read again to find features that are there.
type seenFile struct {
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // nanoseconds
	Sum      string `json:"sha256"`
}

// contents returns the name and the hash of every file that matters. Files that
// can't be read have none, and are an error unless bad ones are to be skipped.
func (c Cache) contents(ctx context.Context, s *source.Source, skipBad bool) ([]string, error) {
	paths, err := s.Inputs()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(paths))
	for n := range paths {
		names = append(names, n)
	}
	slices.SortFunc(names, natural.Compare)
	seen := c.remembered()
	sums := make([]seenFile, len(names))
	g, working := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, n := range names {
		g.Go(func() error {
			var err error
			sums[i], err = sumOf(working, paths[n], seen[absolute(paths[n])])
			if skipBad && working.Err() == nil {
				return nil
			}
			return magic.Explain(paths[n], err)
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	lines := make([]string, len(names))
	changed := false
	for i, n := range names {
		p := absolute(paths[n])
		if sums[i].Sum != "" {
			changed = changed || seen[p] != sums[i]
			seen[p] = sums[i]
		}
		lines[i] = n + " " + sums[i].Sum
	}
	if changed {
		return lines, c.remember(seen)
	}
	return lines, nil
}

func absolute(path string) string {
	if a, err := filepath.Abs(path); err == nil {
		return a
	}
	return path
}

// sumOf returns the hash of a file, from memory if the file is as it was.
func sumOf(ctx context.Context, path string, known seenFile) (seenFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return seenFile{}, fmt.Errorf("reading a recording: %w", err)
	}
	now := seenFile{Size: info.Size(), Modified: info.ModTime().UnixNano(), Sum: known.Sum}
	if now == known {
		return known, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return seenFile{}, fmt.Errorf("reading a recording: %w", err)
	}
	h := sha256.New()
	_, err = io.Copy(h, readerOf(ctx, f))
	if err := errors.Join(err, f.Close()); err != nil {
		return seenFile{}, fmt.Errorf("reading %s: %w", path, err)
	}
	now.Sum = hex.EncodeToString(h.Sum(nil))
	return now, nil
}

// readerOf ends with the context's error once that is done.
func readerOf(ctx context.Context, r io.Reader) io.Reader { return contextReader{ctx, r} }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

func (c Cache) memory() string { return filepath.Join(c.Dir, "files.json") }

// remembered returns the records of files; none where they are damaged.
func (c Cache) remembered() map[string]seenFile {
	seen := map[string]seenFile{}
	if b, err := os.ReadFile(c.memory()); err != nil || json.Unmarshal(b, &seen) != nil {
		return map[string]seenFile{}
	}
	return seen
}

func (c Cache) remember(seen map[string]seenFile) error {
	b, err := json.MarshalIndent(seen, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(c.memory(), b)
}
