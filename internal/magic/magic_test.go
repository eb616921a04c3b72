package magic

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	dir := t.TempDir()
	for begin, want := range map[string]string{
		"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n": "Git LFS|git lfs pull",
		"/annex/objects/MD5E-s12--ab.edf\n":                                         "git-annex|datalad get",
		"\x89HDF\r\n\x1a\n....":                                                     "HDF5",
		"\n <!DOCTYPE html><html>":                                                  "web|get it again",
		"\x1f\x8b\x08":                                                              "gzip|gunzip",
		"":                                                                          "empty|get it again",
		strings.Repeat("\x00", 600):                                                 "zeros|get it again",
		"0       X X X X":                                                           "",
		"\x00\x00":                                                                  "",
	} {
		path := filepath.Join(dir, "f")
		if err := os.WriteFile(path, []byte(begin), 0o644); err != nil {
			t.Fatal(err)
		}
		is, mend := File(path)
		if want == "" && is != "" {
			t.Errorf("%.20q is %q", begin, is)
		}
		first, rest, _ := strings.Cut(want, "|")
		if !strings.Contains(is+" "+mend, first) || !strings.Contains(is+" "+mend, rest) {
			t.Errorf("%.20q is %q, %q; want %q", begin, is, mend, want)
		}
	}
	if is, _ := File(filepath.Join(dir, "nothing")); is != "" {
		t.Errorf("a file that isn't there is %q", is)
	}
}
