// Package charset reads texts of files that don't say how they are encoded.
package charset

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"
)

// A Decoder reads texts of one encoding. The zero Decoder reads valid UTF-8 as such, and
// all other texts as Latin-1.
type Decoder struct {
	name string
	of   encoding.Encoding // nil where the encoding isn't known
}

// spellings are names that programs and people use beside those of the standards.
var spellings = map[string]string{"latin-1": "latin1", "ansi": "windows-1252", "utf8": "utf-8", "cp936": "gbk", "cp932": "shift_jis",
	"ms932": "shift_jis", "cp949": "euc-kr", "cp950": "big5", "sjis": "shift_jis", "shift-jis": "shift_jis", "eucjp": "euc-jp", "euckr": "euc-kr",
	"macroman": "macintosh", "mac-roman": "macintosh", "mac_roman": "macintosh", "gb2312-80": "gbk", "cp437": "ibm437", "cp850": "ibm850"}

// Named returns the decoder of an encoding by one of its names, such as "gbk". The empty
// name gives the zero Decoder.
func Named(name string) (Decoder, error) {
	n := strings.ToLower(strings.TrimSpace(name))
	if n == "" {
		return Decoder{}, nil
	}
	if known, ok := spellings[n]; ok {
		n = known
	}
	if rest, ok := strings.CutPrefix(n, "cp125"); ok {
		n = "windows-125" + rest
	}
	e, err := htmlindex.Get(n)
	if err != nil {
		e, err = ianaindex.IANA.Encoding(n)
	}
	// UTF-16 has zero bytes in it, which end a text in the files that are read here.
	if err != nil || e == nil || e == encoding.Replacement || strings.HasPrefix(n, "utf-16") {
		return Decoder{}, fmt.Errorf("no encoding %q is known: there are utf-8, latin1, windows-1250 to windows-1258, iso-8859-2 to iso-8859-16, gbk, gb18030, big5, shift_jis, euc-jp, euc-kr, koi8-r and macintosh, for some", name)
	}
	return Decoder{n, e}, nil
}

// Name is the encoding's name, empty where it isn't known.
func (d Decoder) Name() string { return d.name }

// Text returns the text of bytes, in Unicode's composed form (NFC). sure is false where
// they are not UTF-8 and no encoding is known, so that they are read as Latin-1, and where
// they can't be of the decoder's encoding.
func (d Decoder) Text(b string) (text string, sure bool) {
	if d.of == nil {
		if utf8.ValidString(b) {
			return norm.NFC.String(b), true
		}
		return decoded(charmap.Windows1252, b), false
	}
	if d.of == unicode.UTF8 {
		return norm.NFC.String(strings.ToValidUTF8(b, "\ufffd")), utf8.ValidString(b)
	}
	text = decoded(d.of, b)
	return text, !strings.ContainsRune(text, utf8.RuneError)
}

func decoded(e encoding.Encoding, b string) string {
	t, err := e.NewDecoder().String(b)
	if err != nil { // decoders put U+FFFD where they can't go on
		t = strings.ToValidUTF8(b, "\ufffd")
	}
	return norm.NFC.String(t)
}

// Guesses returns the encodings to try where bytes are not UTF-8: those in which all raw
// texts decode and fit.
func Guesses(raw []string, fits func(text string) bool) []string {
	var all []string
	for _, name := range []string{"latin1", "gbk", "shift_jis", "big5", "euc-kr", "euc-jp", "windows-1250", "windows-1251", "windows-1253", "windows-1254", "koi8-r", "macintosh", "ibm437", "ibm850"} {
		d, err := Named(name)
		if err != nil {
			continue
		}
		every := len(raw) > 0
		for _, b := range raw {
			text, sure := d.Text(b)
			every = every && sure && fits(text)
		}
		if every {
			all = append(all, name)
		}
	}
	return all
}

// Same reports whether two labels are one: blanks around and between words, and Unicode's
// forms of one character, make no difference; the case of letters does.
func Same(a, b string) bool { return Plain(a) == Plain(b) }

// Plain is the form of a label in which labels that are one are equal.
func Plain(label string) string {
	return strings.Join(strings.Fields(norm.NFC.String(strings.ToValidUTF8(label, "\ufffd"))), " ")
}

// Folded is the form in which labels that differ only in the case of their letters, or in
// the width of their characters, are equal too.
func Folded(label string) string { return strings.ToLower(norm.NFKC.String(Plain(label))) }
