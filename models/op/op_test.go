package op

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each operation that has a file has values of PyTorch's, which package models is tested with.
func TestEveryOperationHasValues(t *testing.T) {
	for name, o := range registry() {
		if o.Shape == nil { // it has a rule alone
			continue
		}
		if _, err := os.Stat(filepath.Join("../testdata/ops", strings.Split(name, ".")[1]+".json")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
