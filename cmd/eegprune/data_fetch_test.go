package main_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// mirror serves two files of eegmat; the first breaks answers break off in the middle.
func mirror(t *testing.T, breaks int64, damage bool) (address string) {
	t.Helper()
	files := map[string][]byte{"Subject00_1.edf": bytes.Repeat([]byte("rest "), 20000), "Subject00_2.edf": bytes.Repeat([]byte("sums "), 20000)}
	var left atomic.Int64
	left.Store(breaks)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/eegmat/")
		if name == "SHA256SUMS.txt" {
			for n, b := range files {
				fmt.Fprintf(w, "%x %s\n", sha256.Sum256(b), n)
			}
			return
		}
		b, ok := files[name]
		switch {
		case !ok:
			http.NotFound(w, r)
		case left.Add(-1) >= 0:
			w.Header().Set("Content-Length", fmt.Sprint(len(b)))
			_, _ = w.Write(b[:len(b)/2]) // the rest is missing when the handler returns
		case damage:
			http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(bytes.ToUpper(b)))
		default:
			http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/eegmat"
}

// bucket lists and serves three subjects of any set of OpenNeuro's.
func bucket(t *testing.T) (address string) {
	t.Helper()
	files := []string{"dataset_description.json", "sub-01/eeg/sub-01_eeg.edf", "sub-02/eeg/sub-02_eeg.edf", "sub-03/eeg/sub-03_eeg.edf"}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("list-type") {
			fmt.Fprint(w, "{}")
			return
		}
		fmt.Fprint(w, "<ListBucketResult>")
		for _, n := range files {
			fmt.Fprintf(w, "<Contents><Key>%s%s</Key><Size>2</Size></Contents>", r.URL.Query().Get("prefix"), n)
		}
		fmt.Fprint(w, "</ListBucketResult>")
	}))
	t.Cleanup(s.Close)
	return s.URL + "/set"
}

func TestDataFetchOfOpenNeuroTakesTheSubjectsThatAreAskedFor(t *testing.T) {
	dir := t.TempDir()
	must(t, dir, "data", "fetch", "ds002721", "--subjects", "1-2", "--out", "music", "--mirror", bucket(t))
	for subject, there := range map[string]bool{"01": true, "02": true, "03": false} {
		if _, err := os.Stat(filepath.Join(dir, "music", "sub-"+subject, "eeg", "sub-"+subject+"_eeg.edf")); (err == nil) != there {
			t.Errorf("subject %s: %v", subject, err)
		}
	}
}

func TestDataFetchGoesOnWhereItBrokeOff(t *testing.T) {
	dir := t.TempDir()
	fetch := []string{"data", "fetch", "eegmat", "--out", "eegmat", "--mirror", mirror(t, 2, false)}
	r := must(t, dir, fetch...)
	for _, word := range []string{"2 files", "0.2 MB", "Open Data Commons", "Zyma"} {
		if !strings.Contains(r.stdout, word) {
			t.Errorf("it does not say %q: %s", word, r.stdout)
		}
	}
	for name, word := range map[string]string{"Subject00_1.edf": "rest ", "Subject00_2.edf": "sums "} {
		if b, err := os.ReadFile(filepath.Join(dir, "eegmat", name)); err != nil || string(b) != strings.Repeat(word, 20000) {
			t.Errorf("%s has %d bytes that are not the server's, %v", name, len(b), err)
		}
	}
	if r = must(t, dir, fetch...); !strings.Contains(r.stdout, "2 of them from before, 0.0 MB") {
		t.Errorf("again: %s", r.stdout)
	}
}

func TestDataFetchRefusesDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	r := eegprune(t, dir, "data", "fetch", "eegmat", "--out", "eegmat", "--mirror", mirror(t, 0, true))
	if r.code != 1 {
		t.Errorf("exit code %d, want 1: %s", r.code, r.stdout)
	}
	oneSentence(t, r, "Subject00_", "checksum")
	if left := files(t, filepath.Join(dir, "eegmat")); len(left) > 1 { // the other file may be on its way
		t.Errorf("damaged files were kept: %v", left)
	}
	r = eegprune(t, dir, "data", "fetch", "eegmat", "--out", "none", "--mirror", mirror(t, 0, false)+"x")
	if r.code != 1 {
		t.Errorf("an address without the set: exit code %d, want 1: %s", r.code, r.stdout)
	}
	oneSentence(t, r, "404")
}

// TestDataFetchSaysSizesFirst, of all or of some subjects, and gets nothing for that.
func TestDataFetchSaysSizesFirst(t *testing.T) {
	dir := t.TempDir()
	from := mirror(t, 0, false)
	if text := must(t, dir, "data", "fetch", "eegmat", "--dry-run", "--mirror", from).stdout; !strings.Contains(text, "100000  Subject00_1.edf") || !strings.Contains(text, "2 files of 1 subject(s), 0.2 MB") {
		t.Errorf("it does not say how large the files are:\n%s", text)
	}
	var said struct {
		Bytes, Missing int64
		Files          []struct {
			Name, Subject string
			Size          int64
		}
	}
	if err := json.Unmarshal([]byte(must(t, dir, "data", "fetch", "eegmat", "--dry-run", "--json", "--subjects", "0", "--mirror", from).stdout), &said); err != nil ||
		said.Bytes != 200000 || said.Missing != 200000 || len(said.Files) != 2 || said.Files[1].Name != "Subject00_2.edf" || said.Files[1].Subject != "00" {
		t.Errorf("%+v, %v", said, err)
	}
	if left := files(t, dir); len(left) > 0 {
		t.Errorf("it has written %v", left)
	}
	for _, c := range []struct {
		args  []string
		code  int
		words []string
	}{
		{[]string{"eegmat", "--mirror", from}, 2, []string{"--out", "--dry-run"}},
		{[]string{"eegmat", "--mirror", from, "--out", "x", "--subjects", "7"}, 1, []string{"no subject 7"}},
		{[]string{"deap", "--out", "x"}, 1, []string{"apply at https://", "s01.dat"}},
		{[]string{"SEED-V"}, 1, []string{"EEG_raw", "data info DIR"}},
		{[]string{"nothing"}, 2, []string{"eegmat", "ds002721"}},
	} {
		r := eegprune(t, dir, append([]string{"data", "fetch"}, c.args...)...)
		if r.code != c.code {
			t.Errorf("%v: exit code %d, want %d", c.args, r.code, c.code)
		}
		oneSentence(t, r, c.words...)
	}
}
