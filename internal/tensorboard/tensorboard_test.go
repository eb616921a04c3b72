package tensorboard

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The values that RFC 3720, appendix B.4, and the catalogue of CRCs give for CRC-32C,
// masked by hand.
func TestMasked(t *testing.T) {
	mask := func(crc uint32) uint32 { return (crc>>15 | crc<<17) + 0xa282ead8 }
	for text, crc := range map[string]uint32{
		"123456789":                0xe3069283,
		strings.Repeat("\x00", 32): 0x8a9136aa,
		strings.Repeat("\xff", 32): 0x62a8ab43,
	} {
		if got := masked([]byte(text)); got != mask(crc) {
			t.Errorf("checksum of %q: %#x, want %#x", text, got, mask(crc))
		}
	}
	// How every event file begins: the length of its first event, 24, and the checksum.
	if got := masked([]byte("\x18\x00\x00\x00\x00\x00\x00\x00")); got != 0x224b7fa3 {
		t.Errorf("checksum of the first length: %#x, want 0x224b7fa3", got)
	}
}

// The file is the output of TensorBoard's own writer for the same events; see
// testdata/make.py.
func TestEventsAreThoseOfTensorBoard(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("testdata", "tensorboard-2.21.tfevents"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1700000000, 250e6)
	var got []byte
	for _, e := range [][]byte{version(at), text("config", 0, "*ä*", at), start(3, at), scalar("loss/train", 3, 0.1, at),
		scalar("loss/train", 300, math.Inf(1), at)} {
		got = append(got, record(e)...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// events reads the records of a file and checks their checksums.
func events(t *testing.T, path string) (all [][]byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for len(b) > 0 {
		n := int(binary.LittleEndian.Uint64(b))
		if binary.LittleEndian.Uint32(b[8:]) != masked(b[:8]) || binary.LittleEndian.Uint32(b[12+n:]) != masked(b[12:12+n]) {
			t.Fatalf("record %d of %s is damaged", len(all), path)
		}
		all = append(all, b[12:12+n])
		b = b[16+n:]
	}
	return all
}

func TestAllThatWasWrittenIsInTheFileBeforeItIsClosed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "study", "cell")
	w, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1700000000, 250e6)
	if err := w.Text("config", 0, "*ä*", at); err != nil {
		t.Fatal(err)
	}
	if err := w.Start(5, at); err != nil {
		t.Fatal(err)
	}
	for step := int64(5); step < 7; step++ {
		if err := w.Scalar("loss", step, 1/float64(step), at); err != nil {
			t.Fatal(err)
		}
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("files %v, %v; want one", paths, err)
	}
	if name := filepath.Base(paths[0]); !regexp.MustCompile(`^events\.out\.tfevents\.\d{10}\..+\.\d+\.0$`).MatchString(name) {
		t.Errorf("TensorBoard would not know the file by its name %s", name)
	}
	got := events(t, paths[0])
	if !bytes.HasSuffix(got[0], []byte("brain.Event:2")) {
		t.Errorf("the first event is %q", got[0])
	}
	want := [][]byte{text("config", 0, "*ä*", at), start(5, at), scalar("loss", 5, 0.2, at), scalar("loss", 6, 1./6, at)}
	if !slices.EqualFunc(got[1:], want, bytes.Equal) {
		t.Errorf("got\n%q\nwant\n%q", got[1:], want)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	// A file that can't be written on is not written on: events after half a record could
	// not be read.
	err = w.Scalar("loss", 7, 0, at)
	if err == nil || !strings.Contains(err.Error(), paths[0]) {
		t.Errorf("error %v, want one that names the file", err)
	}
	if again := w.Scalar("loss", 8, 0, at); again != err {
		t.Errorf("then error %v", again)
	}
}

func TestFilesOfOneDirectoryAreReadInTheOrderInWhichTheyWereMade(t *testing.T) {
	dir := t.TempDir()
	var made []string
	for range 3 {
		w, err := Create(dir)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, w.file.Name())
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.IsSorted(made) {
		t.Errorf("%v do not sort by name", made)
	}
}

func TestCreateSaysWhereItCanNotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names %s", err, path)
	}
}
