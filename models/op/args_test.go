package op_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/eegprune/eegprune/models/op"
)

func TestArgumentsKeepTheirTypes(t *testing.T) {
	args := op.Args{"a": op.Ref("w"), "b": []op.Ref{"x", ""}, "c": 3, "d": []int{1, -2}, "e": op.Size{N: 2, Clips: true},
		"f": []op.Size{{N: 1, Clips: true}, {N: 22}}, "g": 1.0, "h": []float64{0.5, 2}, "i": true, "j": []bool{true, false}, "k": "same",
		"l": op.Choice("float32"), "m": nil, "n": `%x`, "o": "x3", "p": `\`, "q": math.Inf(-1), "r": 1e-5, "s": []int{}, "t": ""}
	b, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	var back op.Args
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	for name, v := range args {
		if !reflect.DeepEqual(back[name], v) {
			t.Errorf("%s: %#v became %#v in %s", name, v, back[name], b)
		}
	}
}
