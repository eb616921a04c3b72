package result

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// File is the name of a study's results in its directory.
const File = "result.json"

// Schema is raised when a field of the files changes its meaning.
const Schema = 3

// OldSchema is the earliest that is read still; see [Study.Lacks].
const OldSchema = 2

// Read reads the result.json of a directory.
func Read(dir string) (*Study, error) {
	s, err := ReadFile[Study](filepath.Join(dir, File), "running the study")
	if err == nil {
		s.SayLacks()
	}
	return s, err
}

// SayLacks fills in Lacks: the data that results of an earlier version do not hold.
func (s *Study) SayLacks() {
	if s.Schema >= Schema {
		return
	}
	s.Lacks = []string{
		"there is no unpruned network that was trained on for as long as fine-tuning lasted: a loss is judged against one of half the training",
		"the epochs were chosen by accuracy, on validation parts that may lack a class",
		"how many clips each fold was fitted and validated on was not kept",
		"scores of each subject were not kept: there is no spread over subjects",
		"the split that was called KFoldCrossTrial is KFoldByTrial today",
		"to have all that, run the study again",
	}
}

// ReadFile reads a file of one of the types that have a schema, this one or one that is read
// still; by is how it was made.
func ReadFile[T any](path, by string) (*T, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	damaged := func(err error) error {
		return fmt.Errorf("%s is damaged: %w; make it anew by %s again", path, err, by)
	}
	// Of another schema nothing else needs to fit.
	var of struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(b, &of); err != nil {
		return nil, damaged(err)
	}
	if of.Schema < OldSchema || of.Schema > Schema {
		return nil, fmt.Errorf("%s has schema %d, this version of eegprune reads %d to %d: use the version that wrote it", path, of.Schema, OldSchema, Schema)
	}
	v := new(T)
	if err := json.Unmarshal(b, v); err != nil {
		return nil, damaged(err)
	}
	return v, nil
}
