package main

import (
	"strings"
	"testing"

	"github.com/eegprune/eegprune/models"
)

// The program's help names every network that there is.
func TestHelpNamesEveryNetwork(t *testing.T) {
	long := (&app{}).root().Long
	for _, name := range models.Names() {
		if !strings.Contains(long, name) {
			t.Errorf("the help does not name %s", name)
		}
	}
}
