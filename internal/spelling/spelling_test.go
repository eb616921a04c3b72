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

func TestUnknown(t *testing.T) {
	if got, want := Unknown("fruit", "appel", []string{"apple", "pear"}).Error(), `unknown fruit "appel" (did you mean apple?): use one of apple, pear`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
