package pt2

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/eegprune/eegprune/torch/ptfile"
)

// How a user repairs a file that can't be read.
const (
	exportCall  = `torch.export.save(torch.export.export(net.train(), (x,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},)), "FILE.pt2")`
	exportAgain = "export it again, with " + exportCall
)

// maxJSON bounds the description of a network.
const maxJSON = 1 << 30

// An archive is the records of a file.
type archive struct {
	*ptfile.Records
	folder string // of all records
	model  string // the name of the network
	size   int    // of the file
}

func open(b []byte) (*archive, error) {
	records, err := ptfile.OpenRecords(b)
	if err != nil {
		return nil, err
	}
	a := &archive{Records: records, size: len(b)}
	old := errors.New("it is of PyTorch 2.8 or before, which laid the weights of an archive down in another way: in PyTorch 2.9 or later, " + exportAgain)
	if a.Has(oldGraph) {
		return nil, old
	}
	if names := a.Names(); len(names) > 0 {
		root, _, _ := strings.Cut(names[0], "/")
		a.folder = root + "/"
	}
	if format, err := a.record(formatRecord); err != nil || string(format) != archiveFormat {
		return nil, errors.New("it is no archive of torch.export: " + exportAgain)
	}
	var models []string
	for _, name := range a.below(modelFolder) {
		if model, ok := strings.CutSuffix(name, modelSuffix); ok {
			models = append(models, model)
		}
	}
	switch len(models) {
	case 0:
		return nil, errors.New("it holds no network that can be trained: " + exportAgain)
	case 1:
		a.model = models[0]
	default:
		return nil, fmt.Errorf("it holds %d networks (%.60q, %.60q, ...): export each to a file of its own, with %s", len(models), models[0], models[1], exportCall)
	}
	if a.has(weightFolder+a.model+oldWeightSuffix) || a.has(constantFolder+a.model+oldWeightSuffix) {
		return nil, old
	}
	if a.has(orderRecord) {
		order, err := a.record(orderRecord)
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, errors.New("its numbers are big-endian: export it again on another machine")
		}
	}
	return a, nil
}

func (a *archive) has(name string) bool { return a.Has(a.folder + name) }

func (a *archive) record(name string) ([]byte, error) { return a.Get(a.folder + name) }

// below lists the records below a folder, by the rest of their names.
func (a *archive) below(folder string) []string {
	var all []string
	for _, name := range a.Names() {
		if rest, ok := strings.CutPrefix(name, a.folder+folder); ok && rest != "" {
			all = append(all, rest)
		}
	}
	return all
}

// decode reads a record of JSON.
func (a *archive) decode(name string, into any) error {
	b, err := a.record(name)
	if err != nil {
		return err
	}
	if len(b) > maxJSON {
		return fmt.Errorf("its record %.80q has %d bytes, and one of up to %d is read: the network is too large", name, len(b), maxJSON)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("its record %.80q is not what torch.export writes (%w): %s", name, err, exportAgain)
	}
	return nil
}

// exported is the description of the network.
func (a *archive) exported() (*exported, error) {
	e := &exported{}
	return e, a.decode(modelFolder+a.model+modelSuffix, e)
}

func (a *archive) extra() (map[string]string, error) {
	files := map[string]string{}
	for _, name := range a.below(extraFolder) {
		text, err := a.record(extraFolder + name)
		if err != nil {
			return nil, err
		}
		if !utf8.Valid(text) || !utf8.ValidString(name) {
			return nil, fmt.Errorf("its extra file %.80q is not UTF-8 text, which PyTorch takes nothing else for: leave it out", name)
		}
		files[name] = string(text)
	}
	if len(files) == 0 {
		return nil, nil
	}
	return files, nil
}

// hasGraph says whether an archive's directory names a graph.
func hasGraph(r io.ReaderAt, size int64) bool {
	z, err := zip.NewReader(r, size)
	if err != nil || len(z.File) == 0 {
		return false
	}
	root, _, _ := strings.Cut(z.File[0].Name, "/")
	for _, f := range z.File {
		model, ok := strings.CutPrefix(f.Name, root+"/"+modelFolder)
		if ok && strings.HasSuffix(model, modelSuffix) || f.Name == oldGraph {
			return true
		}
	}
	return false
}
