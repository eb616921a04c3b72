package report

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/result"
)

// fields calls visit with the name of each JSON field of a type, and of those below it.
func fields(t reflect.Type, visit func(name string)) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" && f.IsExported() {
			visit(name)
			fields(f.Type, visit)
		}
	}
}

func TestEveryFieldOfResultJSONIsDocumented(t *testing.T) {
	docs, err := os.ReadFile(filepath.Join("..", "docs", "formats.md"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	fields(reflect.TypeFor[result.Study](), func(name string) {
		n++
		if !strings.Contains(string(docs), "`"+name+"`") {
			t.Errorf("docs/formats.md does not say what %q is", name)
		}
	})
	if n < 50 {
		t.Errorf("only %d fields were found", n)
	}
}
