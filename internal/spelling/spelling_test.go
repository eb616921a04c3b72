package spelling

import "testing"

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{"lable": "label", "TOGRID": "ToGrid", "": "label", "labels": "label"} {
		if got := Nearest(name, []string{"transforms", "ToGrid", "label"}); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := Nearest("a", nil); got != "" {
		t.Errorf("of none: %q", got)
	}
}
