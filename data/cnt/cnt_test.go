package cnt

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func made(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	signals := make([][]float64, 3)
	for c := range signals {
		for i := range 50 {
			signals[c] = append(signals[c], 100*math.Sin(float64(i*(c+1))))
		}
	}
	if err := Write(&b, []string{"FP1", "M1", "CB2"}, 1000, 0.01, signals); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWhatIsWrittenComesBack(t *testing.T) {
	b := made(t)
	f, err := New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if f.Samples != 50 || f.Rate != 1000 {
		t.Errorf("%d samples at %g", f.Samples, f.Rate)
	}
	if d := cmp.Diff([]string{"FP1", "M1", "CB2"}, f.Channels); d != "" {
		t.Error(d)
	}
	x, err := f.Read(t.Context(), []int{2, 0}, 10, 13)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		for k, c := range []int{2, 0} {
			if want := 100 * math.Sin(float64((10+i)*(c+1))); math.Abs(x[k][i]-want) > 0.006 {
				t.Errorf("channel %d sample %d is %g, want %g", c, 10+i, x[k][i], want)
			}
		}
	}
	for _, bad := range [][2]int{{-1, 3}, {0, 51}, {4, 3}} {
		if _, err := f.Read(t.Context(), []int{0}, bad[0], bad[1]); err == nil {
			t.Errorf("samples %v are read", bad)
		}
	}
	if _, err := f.Read(t.Context(), []int{3}, 0, 1); err == nil {
		t.Error("a channel that is not there is read")
	}
}

// Samples of 16 bits in blocks of five for each channel, with baselines: the values are those that
// MNE-Python 1.13 reads of the file (scripts/cnt_reference.py).
func TestBlocksOf16Bits(t *testing.T) {
	b, err := os.ReadFile("testdata/blocks16.cnt")
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	x, err := f.Read(t.Context(), []int{0, 1}, 0, f.Samples)
	if err != nil {
		t.Fatal(err)
	}
	for c, want := range mneValues() {
		if len(x[c]) != len(want) {
			t.Fatalf("channel %d has %d samples, MNE reads %d", c, len(x[c]), len(want))
		}
		for i := range want {
			if math.Abs(x[c][i]-want[i]) > 1e-6*math.Abs(want[i])+1e-9 {
				t.Errorf("channel %d sample %d is %g, MNE reads %g", c, i, x[c][i], want[i])
			}
		}
	}
}

func TestDamagedHeaders(t *testing.T) {
	for name, change := range map[string]func(b []byte) []byte{
		"cut":            func(b []byte) []byte { return b[:400] },
		"no samples":     func(b []byte) []byte { return b[:1200] },
		"last byte":      func(b []byte) []byte { return b[:len(b)-10] },
		"half":           func(b []byte) []byte { return b[:len(b)/2+500] },
		"no channels":    func(b []byte) []byte { binary.LittleEndian.PutUint16(b[channelsAt:], 0); return b },
		"many channels":  func(b []byte) []byte { binary.LittleEndian.PutUint16(b[channelsAt:], 65535); return b },
		"no rate":        func(b []byte) []byte { binary.LittleEndian.PutUint16(b[rateAt:], 0); return b },
		"no sensitivity": func(b []byte) []byte { binary.LittleEndian.PutUint32(b[fixedBytes+sensitivityAt:], 0); return b },
		"many samples":   func(b []byte) []byte { binary.LittleEndian.PutUint32(b[samplesAt:], math.MaxUint32); return b },
		"long blocks":    func(b []byte) []byte { binary.LittleEndian.PutUint32(b[blockAt:], 1<<30); return b },
		"ANT":            func(b []byte) []byte { copy(b, "RIFF"); return b },
	} {
		b := change(made(t))
		if _, err := New(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(made(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := New(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if int64(x.Samples)*int64(len(x.Channels))*2 > int64(len(b)) {
			t.Fatalf("%d samples of %d channels in %d bytes", x.Samples, len(x.Channels), len(b))
		}
		if _, err := x.Read(t.Context(), []int{0, len(x.Channels) - 1}, 0, x.Samples); err != nil {
			t.Fatalf("the header is read and the samples are not: %v", err)
		}
	})
}

// mneValues are in microvolts.
func mneValues() [][]float64 {
	return [][]float64{
		{-7.919311523437498, 2.655029296875, 69.53430175781249, 123.13842773437497, -128.31115722656247, -98.32763671874999, 88.11950683593749, 122.63488769531249, -69.44274902343749, -52.27661132812499},
		{16.26708984375, -3.3251953125, -9.9169921875, 14.45068359375, -10.634765625, -3.9404296875000004, 6.36474609375, 2.2265625, -18.15673828125, -20.712890625},
	}
}
