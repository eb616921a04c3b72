package data

import (
	"fmt"
	"path/filepath"
	"slices"
)

// notes collects sentences for the user. One that holds for many files is said
// once.
type notes struct {
	list []note
}

type note struct {
	sentence string
	files    []string
}

// add keeps a sentence about a file, or about none where file is empty.
func (n *notes) add(file, sentence string) {
	i := slices.IndexFunc(n.list, func(x note) bool { return x.sentence == sentence })
	if i < 0 {
		n.list = append(n.list, note{sentence: sentence})
		i = len(n.list) - 1
	}
	if file != "" && !slices.Contains(n.list[i].files, file) {
		n.list[i].files = append(n.list[i].files, file)
	}
}

// sentences returns what was collected, in order.
func (n *notes) sentences() []string {
	var all []string
	for _, x := range n.list {
		switch len(x.files) {
		case 0:
			all = append(all, x.sentence)
		case 1:
			all = append(all, fmt.Sprintf("%s: %s", filepath.Base(x.files[0]), x.sentence))
		default:
			all = append(all, fmt.Sprintf("%d files: %s", len(x.files), x.sentence))
		}
	}
	return all
}
