package fetch

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// bucket is a set of OpenNeuro's kind.
func bucket(t *testing.T, l *library) (Set, Options) {
	t.Helper()
	l.tags = true
	l.files = map[string][]byte{
		"dataset_description.json": []byte(`{"License": "CC0"}`), "README": {}, ".bidsignore": []byte("x"), "code/x.py": []byte("x"), "derivatives/sub-01/y.npy": []byte("y"),
		"participants.tsv":          []byte("participant_id\n"),
		"sub-01/eeg/sub-01_eeg.edf": []byte(strings.Repeat("first", 50000)), "sub-01/eeg/sub-01_events.tsv": []byte("onset\n"),
		"sub-02/eeg/sub-02_eeg.edf": []byte(strings.Repeat("second", 40000)), "sub-10/eeg/sub-10_eeg.edf": []byte("tenth"),
	}
	set, o := serve(t, l)
	set.listing, set.Match = byBucket, bidsFiles
	return set, o
}

// holdsFiles fails unless a directory holds these files of the library and no others.
func holdsFiles(t *testing.T, l *library, dir string, names ...string) {
	t.Helper()
	var have []string
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		below, err := filepath.Rel(dir, path)
		have = append(have, filepath.ToSlash(below))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(have)
	slices.Sort(names)
	if !slices.Equal(have, names) {
		t.Errorf("there are %v, want %v", have, names)
	}
	for _, n := range have {
		if b, err := os.ReadFile(filepath.Join(dir, n)); err != nil || string(b) != string(l.files[n]) {
			t.Errorf("%s has %d bytes that are not the server's, %v", n, len(b), err)
		}
	}
}

func TestFetchFromABucket(t *testing.T) {
	l := &library{}
	set, o := bucket(t, l)
	dir := t.TempDir()
	o.Subjects = []string{"1", "sub-10"}
	p, err := Prepare(t.Context(), set, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if all, missing := p.Bytes(); all != 250044 || missing != all || len(p.Files) != 6 {
		t.Errorf("%d files, %d bytes, of which %d are missing", len(p.Files), all, missing)
	}
	l.breaks.Store(3)
	some := []string{"README", "dataset_description.json", "participants.tsv", "sub-01/eeg/sub-01_eeg.edf", "sub-01/eeg/sub-01_events.tsv", "sub-10/eeg/sub-10_eeg.edf"}
	if r, err := p.Get(t.Context()); err != nil || r.Files != 6 || r.Present != 0 || r.BySize != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	holdsFiles(t, l, dir, some...)
	before := l.bytes.Load()
	o.Subjects = nil
	if r, err := get(t.Context(), set, dir, o); err != nil || r.Files != 7 || r.Present != 6 || r.Bytes != 240000 || l.bytes.Load()-before != 240000 {
		t.Errorf("the rest: %+v, %v", r, err)
	}
	holdsFiles(t, l, dir, append(some, "sub-02/eeg/sub-02_eeg.edf")...)
	for subjects, want := range map[string]string{"3": "no subject 3: there are 01 to 10, 3 of them", "2-4": "no subject 3", "x": "no subject x"} {
		o.Subjects = []string{subjects}
		if _, err := Prepare(t.Context(), set, dir, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("subject %s: error %v", subjects, err)
		}
	}
	o.Subjects = []string{"1-2"}
	if p, err := Prepare(t.Context(), set, dir, o); err != nil || len(p.Files) != 6 {
		t.Errorf("subjects 1-2: %v", err)
	}
}

// TestBucketFilesThatChange: the download differs from the list.
func TestBucketFilesThatChange(t *testing.T) {
	const edf = "sub-01/eeg/sub-01_eeg.edf"
	for name, c := range map[string]struct {
		said  objectSaid
		short int // the bytes of it that the server sends
		part  string
		want  string
	}{
		"another version":           {said: objectSaid{250000, `"0123456789abcdef0123456789abcdef"`}, want: "was changed at its source"},
		"a larger one was listed":   {said: objectSaid{250001, ""}, want: "250000 bytes came and its source says 250001"},
		"a smaller one was listed":  {said: objectSaid{249999, ""}, want: "250000 bytes came and its source says 249999"},
		"the server sends too few":  {said: objectSaid{250000, ""}, short: 1000, want: "1000 bytes came and its source says 250000"},
		"a part that is none of it": {said: objectSaid{250000, ""}, part: strings.Repeat("x", 300000)},
		"without a checksum":        {said: objectSaid{250000, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &library{said: map[string]objectSaid{edf: c.said}}
			if c.short > 0 {
				l.short = map[string]int{edf: c.short}
			}
			set, o := bucket(t, l)
			o.Subjects = []string{"1"}
			dir := t.TempDir()
			if c.part != "" {
				if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(edf)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, edf+".part"), []byte(c.part), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			r, err := get(t.Context(), set, dir, o)
			if c.want == "" {
				if err != nil || r.BySize != 1 {
					t.Fatalf("%+v, %v", r, err)
				}
				if b, err := os.ReadFile(filepath.Join(dir, edf)); err != nil || string(b) != string(l.files[edf]) {
					t.Errorf("%d bytes, %v", len(b), err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), edf) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(dir, edf)); err == nil {
				t.Error("the file is in its place all the same")
			}
		})
	}
}

// TestPartsOfOtherVersionsAreNotGoneOnWith where no checksum would tell.
func TestPartsOfOtherVersionsAreNotGoneOnWith(t *testing.T) {
	const edf = "sub-01/eeg/sub-01_eeg.edf"
	l := &library{}
	set, o := bucket(t, l)
	l.tags = false
	l.said = map[string]objectSaid{edf: {250000, `"feed-2"`}}
	o.Subjects = []string{"1"}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(edf)), 0o755); err != nil {
		t.Fatal(err)
	}
	// S3 knows the version that it has, which this server doesn't: it is asked for it all the same.
	for name, content := range map[string]string{".dead-2.part": "another version", ".feed-2.part": strings.Repeat("first", 10000)} {
		if err := os.WriteFile(filepath.Join(dir, edf+name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l.anyVersion = true
	r, err := get(t.Context(), set, dir, o)
	if err != nil || r.BySize != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	holdsFiles(t, l, dir, "README", "dataset_description.json", "participants.tsv", edf, "sub-01/eeg/sub-01_events.tsv")
	if want := int64(200000 + len(l.files["dataset_description.json"]) + len(l.files["participants.tsv"]) + 6); r.Bytes != want {
		t.Errorf("%d bytes were got, want %d", r.Bytes, want)
	}
}

// TestFullDiskIsSaidAtOnce: the part is a file that has no room.
func TestFullDiskIsSaidAtOnce(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full")
	}
	l := &library{}
	set, o := serve(t, l)
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, "a_1.edf.part")); err != nil {
		t.Fatal(err)
	}
	_, err := get(t.Context(), set, dir, o)
	if err == nil || !strings.Contains(err.Error(), "no space left on device; what has come so far is kept: make room") || strings.Contains(err.Error(), "tried") {
		t.Errorf("error %v", err)
	}
}

// TestNoRoomIsSaidBefore anything is got.
func TestNoRoomIsSaidBefore(t *testing.T) {
	if _, ok := freeSpace(t.TempDir()); !ok {
		t.Skip("free space isn't known here")
	}
	l := &library{said: map[string]objectSaid{"sub-01/eeg/sub-01_eeg.edf": {1 << 60, ""}}}
	set, o := bucket(t, l)
	dir := t.TempDir()
	if _, err := get(t.Context(), set, dir, o); err == nil || !regexp.MustCompile(`has [\d.]+ GB free, and 11529\d+\.\d GB of test are yet to come`).MatchString(err.Error()) {
		t.Errorf("error %v", err)
	}
	holdsFiles(t, l, dir)
}

// TestSizesAreSaidFirst, of PhysioNet's sets as the server says them, as far as it does.
func TestSizesAreSaidFirst(t *testing.T) {
	l := &library{}
	set, o := serve(t, l)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a_1.edf.part"), l.files["a_1.edf"][:100000], 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := Prepare(t.Context(), set, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if all, missing := p.Bytes(); all != 490000 || missing != 390000 || l.bytes.Load() != 0 {
		t.Errorf("%d bytes, %d missing, %d got", all, missing, l.bytes.Load())
	}
	if _, err := p.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, l, dir)

	l = &library{noHead: true}
	set, o = serve(t, l)
	if p, err = Prepare(t.Context(), set, t.TempDir(), o); err != nil || p.Files[0].Size != -1 {
		t.Fatalf("%+v, %v", p, err)
	}
	if r, err := p.Get(t.Context()); err != nil || r.Files != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}
