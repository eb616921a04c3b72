package torch

import (
	"errors"
	"testing"
)

func TestCountOperations(t *testing.T) {
	s := NewScope(NoGrad)
	defer s.Close()
	x, err := Full(1, Float32, CPU, 4, 8)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Free()
	got, err := CountOperations(func() error {
		s.ReLU(s.MatMul(x, s.Reshape(x, 8, 4)))
		return s.Err()
	})
	// The product reads 32 numbers twice and writes 16, ReLU reads and writes 16; Reshape is a view.
	want := map[string]Count{"aten::mm": {1, 4 * (32 + 32 + 16)}, "aten::relu": {1, 4 * (16 + 16)}}
	if sum := got.Sum(); err != nil || sum.Calls != 2 || sum.Bytes != 4*(32+32+16+16+16) || got["aten::mm"] != want["aten::mm"] {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	mine := errors.New("mine")
	if _, err := CountOperations(func() error { return mine }); !errors.Is(err, mine) {
		t.Error(err)
	}
	if _, err := CountOperations(func() error { _, err := CountOperations(func() error { return nil }); return err }); err == nil {
		t.Error("operations are counted within a count")
	}
	if got, err := CountOperations(func() error { return nil }); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}
