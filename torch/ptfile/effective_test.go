package ptfile_test

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/torch/ptfile"
)

func float32s(name string, shape []int, values ...float32) ptfile.Named {
	n := ptfile.Named{Name: name, Array: ptfile.Array{Shape: shape}}
	for _, v := range values {
		n.Data = binary.LittleEndian.AppendUint32(n.Data, math.Float32bits(v))
	}
	return n
}

// The expectations are worked out by hand: |(3, 4)| is 5, and (1 0)W(0 1)' is W's 2.
func TestEffective(t *testing.T) {
	v := float32s("lin.weight_v", []int{2, 2}, 3, 4, 0, 2)
	for what, c := range map[string]struct {
		in   []ptfile.Named
		want string
	}{
		"mask":         {[]ptfile.Named{float32s("lin.weight_orig", []int{3}, 1, 2, 3), float32s("lin.weight_mask", []int{3}, 1, 0, 1)}, "1 0 3"},
		"weight norm":  {[]ptfile.Named{float32s("lin.weight_g", []int{2, 1}, 10, 1), v}, "6 8 0 1"},
		"of columns":   {[]ptfile.Named{float32s("lin.weight_g", []int{1, 2}, 3, 5), float32s("lin.weight_v", []int{2, 2}, 3, 0, 0, 2)}, "3 0 0 5"},
		"of all":       {[]ptfile.Named{float32s("lin.weight_g", nil, 10), float32s("lin.weight_v", []int{2}, 3, 4)}, "6 8"},
		"parametrized": {[]ptfile.Named{float32s("lin.parametrizations.weight.original0", []int{1, 1}, 10), float32s("lin.parametrizations.weight.original1", []int{1, 2}, 3, 4)}, "6 8"},
		"spectral":     {[]ptfile.Named{float32s("lin.weight_orig", []int{2, 2}, 1, 2, 3, 4), float32s("lin.weight_u", []int{2}, 1, 0), float32s("lin.weight_v", []int{2}, 0, 1)}, "0.5 1 1.5 2"},
		"spectral, later": {[]ptfile.Named{float32s("lin.parametrizations.weight.original", []int{2, 2}, 1, 2, 3, 4), float32s("lin.parametrizations.weight.0._u", []int{2}, 1, 0),
			float32s("lin.parametrizations.weight.0._v", []int{2}, 0, 1)}, "0.5 1 1.5 2"},
	} {
		bias := float32s("lin.bias", []int{1}, 7)
		out, said, err := ptfile.Effective(append([]ptfile.Named{bias}, c.in...))
		if err != nil || len(out) != 2 || out[0].Name != "lin.bias" || out[1].Name != "lin.weight" || len(said) != 1 {
			t.Errorf("%s: %v, %q, %v", what, out, said, err)
			continue
		}
		if got := strings.Join(values(t, out[1].Array), " "); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
	for _, in := range [][]ptfile.Named{
		{float32s("w_orig", []int{2}, 1, 2), float32s("w_mask", []int{1}, 1)},
		{float32s("w_g", []int{3}, 1, 2, 3), float32s("w_v", []int{2}, 1, 2)},
	} {
		if _, _, err := ptfile.Effective(in); err == nil || !strings.Contains(err.Error(), "shape") {
			t.Errorf("shapes that differ: %v", err)
		}
	}
	if out, said, err := ptfile.Effective([]ptfile.Named{float32s("w_orig", []int{1}, 1)}); err != nil || len(said) > 0 || out[0].Name != "w_orig" {
		t.Errorf("a part alone: %v, %q, %v", out, said, err)
	}
}
