package ratio

import (
	"bytes"
	"compress/flate"
	"testing"
)

// TestBounds: the ratio of deflated zeros is possible, and a hundredth more isn't. A gigabyte of
// zeros is plausible; of more the ratio decides.
func TestBounds(t *testing.T) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	const n = 8 << 20
	if _, err := w.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	size := uint64(b.Len())
	if !Possible(n, size, 0) || Possible(n+n/100, size, 0) || !Possible(n+n/100, size, n/100) || !Possible(3, 0, 3) || Possible(4, 0, 3) {
		t.Errorf("%d bytes in %d", n, size)
	}
	if !Plausible(1<<30, 1) || !Plausible(1<<30+256, 1<<22+1) || Plausible(1<<30+256, 1<<22) {
		t.Error("the bound is elsewhere")
	}
}
