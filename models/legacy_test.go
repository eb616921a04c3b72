package models_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/models"
)

// oldArch is small as checkpoints of format 1 describe it.
const oldArch = `{"model":"small","input":[2,4,4],"classes":2,"layers":[
{"name":"a","op":"conv2d","inputs":["input"],"in":2,"out":3,"kernel":[1,1]},
{"name":"b","op":"conv2d","inputs":["input"],"in":2,"out":3,"kernel":[1,1]},
{"name":"cat","op":"cat","inputs":["a","b"],"dim":3},
{"name":"norm","op":"batch_norm2d","inputs":["cat"],"out":3},
{"name":"pool","op":"avg_pool2d","inputs":["norm"],"kernel":[4,8]},
{"name":"flatten","op":"flatten","inputs":["pool"]},
{"name":"drop","op":"dropout","inputs":["flatten"],"p":0.5},
{"name":"out","op":"linear","inputs":["drop"],"in":3,"out":2}],
"groups":[{"name":"norm","channels":3,"producers":[{"layer":"a","span":1},{"layer":"b","span":1}],"norms":[{"layer":"norm","span":1}],"consumers":[{"layer":"out","span":1}],"kept":[0,4,9]}]}`

func TestOldDescriptionsAreRead(t *testing.T) {
	var a models.Arch
	if err := json.Unmarshal([]byte(oldArch), &a); err != nil {
		t.Fatal(err)
	}
	if err := a.Check(); err != nil {
		t.Fatal(err)
	}
	if err := a.Regroup(); err != nil {
		t.Fatal(err)
	}
	want := small()
	want.Groups[0].Kept = []int{0, 4, 9}
	if d := cmp.Diff(want, &a, sameArch); d != "" {
		t.Errorf("architecture (-want +got):\n%s", d)
	}
	for what, c := range map[string]struct{ from, to, says string }{
		"a cycle":            {`"inputs":["input"],"in":2`, `"inputs":["norm"],"in":2`, "depends on itself"},
		"a layer on itself":  {`"inputs":["cat"]`, `"inputs":["norm"]`, `"norm" depends on itself`},
		"unknown input":      {`"inputs":["a","b"]`, `"inputs":["a","nosuch"]`, "nosuch"},
		"no input":           {`"inputs":["pool"]`, `"inputs":[]`, "0 inputs"},
		"two inputs":         {`"inputs":["pool"]`, `"inputs":["pool","a"]`, "2 inputs"},
		"an unknown layer":   {`"op":"dropout"`, `"op":"transformer"`, "transformer"},
		"a name twice":       {`"name":"b"`, `"name":"a"`, "used twice"},
		"channels of a conv": {`"in":2`, `"in":5`, "5 channels"},
		"no kernel":          {`"kernel":[1,1]`, `"kernel":[0,0]`, `"a"`},
		"a huge width":       {`"out":3`, `"out":4611686018427387904`, `"a"`},
		"a group":            {`"channels":3`, `"channels":2`, "2 channels"},
	} {
		text := strings.Replace(oldArch, c.from, c.to, 1)
		var a models.Arch
		err := json.Unmarshal([]byte(text), &a)
		if err == nil {
			err = a.Check()
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", what, err, c.says)
		}
	}
}
