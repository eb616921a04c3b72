package fetch

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// library is a server of files under /set/, with their checksums.
type library struct {
	files      map[string][]byte
	breaks     atomic.Int64 // answers that end in the middle, still to be given
	noRange    bool
	noHead     bool
	anyVersion bool                  // whichever is asked for is there
	tags       bool                  // answers tell versions apart
	said       map[string]objectSaid // instead of the true values, in the list of a bucket
	short      map[string]int        // answers of that many bytes, as if that were all
	stalls     atomic.Int64          // answers that stop in the middle without ending
	requests   atomic.Int64
	bytes      atomic.Int64
	sums       string // instead of the true list
}

func (l *library) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.requests.Add(1)
	if r.URL.Query().Has("list-type") {
		l.list(w, r)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/set/")
	if name == sums {
		if l.sums != "" {
			fmt.Fprint(w, l.sums)
			return
		}
		for n, b := range l.files {
			fmt.Fprintf(w, "%x %s\n", sha256.Sum256(b), n)
		}
		return
	}
	b, ok := l.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method == http.MethodHead {
		if l.noHead {
			http.Error(w, "no", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		return
	}
	if l.noRange {
		r.Header.Del("Range")
	}
	if l.anyVersion {
		w.Header().Set("ETag", r.Header.Get("If-Match"))
	}
	if l.tags {
		w.Header().Set("ETag", tagOf(b))
	}
	if l.stalls.Add(-1) >= 0 {
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		_, _ = w.Write(b[:len(b)/2])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return
	}
	if n, ok := l.short[name]; ok {
		b = b[:n]
	}
	if l.breaks.Add(-1) >= 0 {
		var from int
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(b)-1, len(b)))
			w.Header().Set("Content-Length", fmt.Sprint(len(b)-from))
			w.WriteHeader(http.StatusPartialContent)
		} else {
			w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		}
		n, _ := w.Write(b[from : from+(len(b)-from)/2])
		l.bytes.Add(int64(n))
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(&counted{w, &l.bytes}, r, name, time.Time{}, strings.NewReader(string(b)))
}

// objectSaid holds a bucket's size and tag of an object.
type objectSaid struct {
	size int
	tag  string
}

func tagOf(b []byte) string { return fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum(b))) }

// list answers as S3 does, two objects at a time.
func (l *library) list(w http.ResponseWriter, r *http.Request) {
	prefix := r.URL.Query().Get("prefix")
	names := slices.Sorted(maps.Keys(l.files))
	from, _ := strconv.Atoi(r.URL.Query().Get("continuation-token"))
	to := min(from+2, len(names))
	fmt.Fprint(w, `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	for _, n := range names[from:to] {
		said := objectSaid{len(l.files[n]), tagOf(l.files[n])}
		if s, ok := l.said[n]; ok {
			said = s
		}
		fmt.Fprintf(w, "<Contents><Key>%s%s</Key><Size>%d</Size><ETag>%s</ETag></Contents>", prefix, n, said.size, html.EscapeString(said.tag))
	}
	if to < len(names) {
		fmt.Fprintf(w, "<IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken>", to)
	}
	fmt.Fprint(w, "</ListBucketResult>")
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.n.Add(int64(n))
	return n, err
}

func serve(t *testing.T, l *library) (Set, Options) {
	t.Helper()
	if l.files == nil {
		l.files = map[string][]byte{"a_1.edf": []byte(strings.Repeat("first", 50000)), "sub/b 2.edf": []byte(strings.Repeat("second", 40000)), "notes.txt": []byte("x")}
	}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	return Set{Name: "test", URL: server.URL + "/set/", Match: `\.edf$`}, Options{Pause: time.Millisecond}
}

// get gets all that is planned.
func get(ctx context.Context, s Set, dir string, o Options) (*Result, error) {
	p, err := Prepare(ctx, s, dir, o)
	if err != nil {
		return nil, err
	}
	return p.Get(ctx)
}

func check(t *testing.T, l *library, dir string) {
	t.Helper()
	for n, b := range l.files {
		got, err := os.ReadFile(filepath.Join(dir, n))
		if strings.HasSuffix(n, ".edf") != (err == nil) || (err == nil && string(got) != string(b)) {
			t.Errorf("%s: %d bytes, %v", n, len(got), err)
		}
	}
	_ = filepath.WalkDir(dir, func(p string, _ os.DirEntry, _ error) error {
		if strings.HasSuffix(p, ".part") {
			t.Errorf("left behind: %s", p)
		}
		return nil
	})
}

func TestFetch(t *testing.T) {
	l := &library{}
	set, o := serve(t, l)
	dir := t.TempDir()
	var seen []string
	o.Progress = func(done, total int, file string) { seen = append(seen, fmt.Sprint(done, "/", total)) }
	r, err := get(t.Context(), set, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	check(t, l, dir)
	if r.Files != 2 || r.Present != 0 || r.Bytes != 490000 || strings.Join(seen, " ") != "1/2 2/2" {
		t.Errorf("%+v, progress %v", r, seen)
	}
	before := l.bytes.Load()
	if r, err = get(t.Context(), set, dir, o); err != nil || r.Present != 2 || l.bytes.Load() != before {
		t.Errorf("again: %+v, %v, %d bytes more", r, err, l.bytes.Load()-before)
	}
}

// TestFetchGoesOnAfterBreaks: the server breaks off in the middle, four times;
// no byte is sent twice.
func TestFetchGoesOnAfterBreaks(t *testing.T) {
	l := &library{}
	set, o := serve(t, l)
	l.breaks.Store(4)
	dir := t.TempDir()
	if _, err := get(t.Context(), set, dir, o); err != nil {
		t.Fatal(err)
	}
	check(t, l, dir)
	// Bytes in the server's buffers when it broke off may have been lost.
	if sent := l.bytes.Load(); sent > 490000+4*64<<10 {
		t.Errorf("%d bytes were sent for 490000", sent)
	}
}

func TestFetchGoesOnAfterAStall(t *testing.T) {
	l := &library{}
	set, o := serve(t, l)
	l.stalls.Store(1)
	o.Stall = 100 * time.Millisecond
	dir := t.TempDir()
	if _, err := get(t.Context(), set, dir, o); err != nil {
		t.Fatal(err)
	}
	check(t, l, dir)
}

func TestFetchGoesOnInAnotherRun(t *testing.T) {
	l := &library{}
	set, o := serve(t, l)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a_1.edf.part"), l.files["a_1.edf"][:200000], 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := get(t.Context(), set, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	check(t, l, dir)
	if r.Bytes != 290000 {
		t.Errorf("%d bytes were got, want 290000", r.Bytes)
	}
}

func TestFetchWithoutRanges(t *testing.T) {
	l := &library{noRange: true}
	set, o := serve(t, l)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a_1.edf.part"), l.files["a_1.edf"][:7], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context(), set, dir, o); err != nil {
		t.Fatal(err)
	}
	check(t, l, dir)
}

// TestFetchGivesUpOnAServerThatStartsOver and never comes to the end.
func TestFetchGivesUpOnAServerThatStartsOver(t *testing.T) {
	l := &library{noRange: true}
	set, o := serve(t, l)
	l.breaks.Store(1 << 40)
	if _, err := get(t.Context(), set, t.TempDir(), o); err == nil || !strings.Contains(err.Error(), "tried 5 times") {
		t.Errorf("error %v", err)
	}
}

func TestFetchFindsDamage(t *testing.T) {
	l := &library{}
	set, o := serve(t, l)
	dir := t.TempDir()
	// A part that isn't the file's beginning can't be told before the end.
	if err := os.WriteFile(filepath.Join(dir, "a_1.edf.part"), []byte("wrong"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context(), set, dir, o); err == nil || !strings.Contains(err.Error(), "a_1.edf") || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("error %v", err)
	}
	if _, err := get(t.Context(), set, dir, o); err != nil {
		t.Errorf("a second try: %v", err)
	}
	check(t, l, dir)
}

func TestFetchRefuses(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		sums, want string
	}{
		"out of the directory": {sum + "  ../../evil.edf\n", "no name of a file"},
		"absolute":             {sum + "  /etc/evil.edf\n", "no name of a file"},
		"short sum":            {"abc a_1.edf\n", "no checksum"},
		"nothing":              {sum + " readme.txt\n", "lists no file"},
		"missing file":         {sum + " gone.edf\n", "404"},
	} {
		l := &library{sums: c.sums}
		set, o := serve(t, l)
		dir := t.TempDir()
		if _, err := get(t.Context(), set, dir, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
}

func TestFetchGivesUpAndStops(t *testing.T) {
	l := &library{}
	set, o := serve(t, l)
	set.URL = "http://127.0.0.1:1/"
	if _, err := get(t.Context(), set, t.TempDir(), o); err == nil || !strings.Contains(err.Error(), "run the same command again") {
		t.Errorf("no server: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	set, o = serve(t, l)
	if _, err := get(ctx, set, t.TempDir(), o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestSets(t *testing.T) {
	for _, s := range Sets() {
		if found, err := Find(s.Name); err != nil || found != s || !strings.HasSuffix(s.URL, "/") || s.License == "" || s.Cite == "" {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for name, want := range map[string]string{"SEED_IV": "seed/ (a form), and unpack it so that the directory holds eeg_raw_data", "deap": "s01.dat", "x": "use one of eegmat, "} {
		if _, err := Find(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, want)
		}
	}
	for name, want := range map[string]string{"EmoEEG-MC": "emoeeg-mc", "ds005540": "emoeeg-mc", "ds002721": "ds002721"} {
		if s, err := Find(name); err != nil || s.Name != want {
			t.Errorf("%s is %s, %v", name, s.Name, err)
		}
	}
}
