// Package fetch gets open data sets from PhysioNet, file by file, with their
// checksums. What a broken connection or an interrupted program has got is kept
// and gone on with.
package fetch

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A Set is a data set that can be fetched.
type Set struct {
	Name    string
	About   string
	URL     string // of its directory, ending in a slash
	Match   string // regular expression for the files that are wanted
	License string
	Cite    string
}

const goldberger = "Goldberger A, et al. PhysioBank, PhysioToolkit, and PhysioNet. Circulation 2000, 101(23):e215."

// Sets returns the known data sets.
func Sets() []Set {
	return []Set{
		{Name: "eegmat", About: "rest and mental arithmetic, 36 subjects, 19 electrodes at 500 Hz, 180 MB",
			URL: "https://physionet.org/files/eegmat/1.0.0/", Match: `^Subject\d+_[12]\.edf$`, License: "Open Data Commons Attribution License 1.0",
			Cite: "Zyma I, Tukaev S, Seleznov I, et al. Electroencephalograms during mental arithmetic task performance. Data 2019, 4(1):14. " + goldberger},
		{Name: "eegmmidb", About: "eyes open and eyes closed (runs 1 and 2 of the motor movement and imagery set), 109 subjects, 64 electrodes at 160 Hz, 270 MB",
			URL: "https://physionet.org/files/eegmmidb/1.0.0/", Match: `^S\d{3}/S\d{3}R0[12]\.edf$`, License: "Open Data Commons Attribution License 1.0",
			Cite: "Schalk G, McFarland DJ, Hinterberger T, Birbaumer N, Wolpaw JR. BCI2000. IEEE TBME 2004, 51(6):1034-1043. " + goldberger},
	}
}

// Find returns the set of that name.
func Find(name string) (Set, error) {
	var names []string
	for _, s := range Sets() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Set{}, fmt.Errorf("no data set %q to fetch: there are %s", name, strings.Join(names, ", "))
}

// Options change how a set is fetched. The zero value is fine.
type Options struct {
	Match    string // instead of the set's
	Parallel int    // connections at once; 0: 4
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

// A Result says what a fetch did.
type Result struct {
	Files   int   // in the directory now
	Present int   // of those, were there before, with the right checksum
	Bytes   int64 // got over the network
}

// sums is the list of checksums that each of PhysioNet's data sets has.
const sums = "SHA256SUMS.txt"

// maxSums bounds the size of that list.
const maxSums = 32 << 20

// Fetch gets the files of a set into a directory.
func Fetch(ctx context.Context, s Set, dir string, o Options) (*Result, error) {
	match, err := regexp.Compile(cmpOr(o.Match, s.Match))
	if err != nil {
		return nil, fmt.Errorf("choosing files of %s: %w", s.Name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory for %s: %w", s.Name, err)
	}
	f := &fetcher{set: s, dir: dir, options: o, client: o.Client}
	if f.client == nil {
		f.client = http.DefaultClient
	}
	wanted, err := f.list(ctx, match)
	if err != nil {
		return nil, err
	}
	g, working := errgroup.WithContext(ctx)
	g.SetLimit(max(1, cmpOr(o.Parallel, 4)))
	for _, w := range wanted {
		g.Go(func() error { return f.one(working, w, len(wanted)) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return &f.result, nil
}

func cmpOr[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}

// A wantedFile is a file of a set and its checksum.
type wantedFile struct{ name, sum string }

type fetcher struct {
	set     Set
	dir     string
	options Options
	client  *http.Client

	mu     sync.Mutex
	result Result
}

// list gets the names and checksums of the files that are wanted.
func (f *fetcher) list(ctx context.Context, match *regexp.Regexp) ([]wantedFile, error) {
	var b bytes.Buffer
	address := f.set.URL + sums
	err := f.retry(ctx, func() (bool, error) {
		b.Reset()
		body, err := f.get(ctx, address, 0)
		if err != nil {
			return false, err
		}
		defer body.Close()
		_, err = io.Copy(&b, io.LimitReader(body, maxSums))
		return false, err
	})
	if err != nil {
		return nil, fmt.Errorf("getting the checksums of %s: %w", f.set.Name, err)
	}
	var list []wantedFile
	lines := bufio.NewScanner(&b)
	for lines.Scan() {
		sum, name, ok := strings.Cut(lines.Text(), " ")
		name = path.Clean(strings.TrimLeft(name, " *"))
		if !ok || !match.MatchString(name) {
			continue
		}
		// A name must not lead out of the directory.
		if !filepath.IsLocal(filepath.FromSlash(name)) || len(sum) != 64 {
			return nil, fmt.Errorf("%s has the line %.100q, which is no checksum of a file", address, lines.Text())
		}
		list = append(list, wantedFile{name, strings.ToLower(sum)})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s lists no file that matches %s", address, match)
	}
	slices.SortFunc(list, func(a, b wantedFile) int { return strings.Compare(a.name, b.name) })
	return list, lines.Err()
}

// one gets one file, unless it is there already.
func (f *fetcher) one(ctx context.Context, w wantedFile, total int) error {
	target := filepath.Join(f.dir, filepath.FromSlash(w.name))
	present := sumMatches(target, w.sum)
	var got int64
	if !present {
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return fmt.Errorf("making the directory for %s: %w", w.name, err)
		}
		var err error
		if got, err = f.download(ctx, w, target); err != nil {
			return fmt.Errorf("getting %s of %s: %w", w.name, f.set.Name, err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.result.Files++
	f.result.Bytes += got
	if present {
		f.result.Present++
	}
	if f.options.Progress != nil {
		f.options.Progress(f.result.Files, total, w.name)
	}
	return nil
}

// address returns where a file is.
func (f *fetcher) address(name string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return f.set.URL + strings.Join(parts, "/")
}
