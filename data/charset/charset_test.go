package charset

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The bytes are Python's: "Müdigkeit".encode("latin-1") and so on.
func TestText(t *testing.T) {
	for _, c := range []struct {
		encoding, bytes, want string
		sure                  bool
	}{
		{"", "Augen ge\xf6ffnet", "Augen geöffnet", false},
		{"", "Augen geöffnet", "Augen geöffnet", true},
		{"", "Augen geo\u0308ffnet", "Augen geöffnet", true},
		{"", "eyes open", "eyes open", true},
		{"latin1", "Augen ge\xf6ffnet", "Augen geöffnet", true},
		{"ISO-8859-1", "caf\xe9", "café", true},
		{"gbk", "\xd5\xf6\xd1\xdb", "睁眼", true},
		{"cp936", "\xb1\xd5\xd1\xdb", "闭眼", true},
		{"shift_jis", "\x8aJ\x8a\xe1", "開眼", true},
		{"sjis", "\x95\xc2\x8a\xe1", "閉眼", true},
		{"big5", "\xb6}\xb2\xb4", "開眼", true},
		{"euc-kr", "\xb4\xab", "눈", true},
		{"cp1251", "\xee\xf2\xea\xf0\xfb\xf2\xfb", "открыты", true},
		{"cp437", "ge\x94ffnet", "geöffnet", true},
		{"utf-8", "ge\xf6ffnet", "ge\ufffdffnet", false},
		{"gbk", "ge\xffx", "ge\ufffdx", false},
	} {
		d, err := Named(c.encoding)
		if err != nil {
			t.Errorf("%s: %v", c.encoding, err)
			continue
		}
		if got, sure := d.Text(c.bytes); got != c.want || sure != c.sure {
			t.Errorf("%q as %q is %q, %v; want %q, %v", c.bytes, c.encoding, got, sure, c.want, c.sure)
		}
	}
	for _, name := range []string{"klingon", "utf-16", "utf-16le", "iso-2022-kr"} {
		if _, err := Named(name); err == nil {
			t.Errorf("encoding %s is known", name)
		}
	}
}

func TestGuesses(t *testing.T) {
	classes := []string{"睁眼", "闭眼"}
	got := Guesses([]string{"\xd5\xf6\xd1\xdb", "\xb1\xd5\xd1\xdb"}, func(x string) bool { return slices.Contains(classes, x) })
	if !slices.Equal(got, []string{"gbk"}) {
		t.Errorf("guesses %q", got)
	}
	if got := Guesses(nil, func(string) bool { return true }); got != nil {
		t.Errorf("guesses of nothing: %q", got)
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b           string
		same, foldSame bool
	}{
		{"rest", " rest\u00a0", true, true},
		{"eyes  open", "eyes open", true, true},
		{"geo\u0308ffnet", "geöffnet", true, true},
		{"Rest", "rest", false, true},
		{"ｒｅｓｔ", "rest", false, true},
		{"rest", "rests", false, false},
	} {
		if Same(c.a, c.b) != c.same || (Folded(c.a) == Folded(c.b)) != c.foldSame {
			t.Errorf("%q and %q: same %v, folded %v", c.a, c.b, Same(c.a, c.b), Folded(c.a) == Folded(c.b))
		}
	}
}

func TestTextNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, err := Named(rapid.SampledFrom([]string{"", "utf-8", "gbk", "shift_jis", "big5", "euc-jp", "latin1", "gb18030", "iso-2022-jp"}).Draw(t, "encoding"))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := d.Text(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
		if again, _ := (Decoder{}).Text(text); again != text {
			t.Fatalf("%q is read again as %q", text, again)
		}
	})
}
