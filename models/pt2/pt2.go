// Package pt2 reads and writes the archives of torch.export, in which PyTorch keeps a network: its
// graph of ATen operations, its tensors and how large a batch may be. It needs no libtorch.
//
// An archive is a zip file of JSON and raw numbers, whose layout PyTorch has kept since 2.9
// (torch/_export/serde/schema.py, torch/export/pt2_archive). Parts that do not matter to a network are
// neither read nor written on: sample inputs, which are a pickle, and where in its author's files
// each operation stands.
package pt2

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch/ptfile"
)

// A Program is the network of an archive.
//
// Names of values are those of PyTorch's graph, but the input is "input", and parameters, buffers
// and constants have the names of the module's attributes. Numbers computed from the batch's size
// are no nodes: each argument that uses one holds it as an [op.Size]. Nor are
// assertions. A buffer that changes in training is changed by a node that works in place; where
// the graph returned the new value as an output beside the logits, the last nodes copy it. Devices are
// left out: a network runs on the device that it is given.
type Program struct {
	Input   op.Value  // its one input tensor, "input"; the first dimension is the batch
	Output  string    // the value that it returns
	Nodes   []op.Node // in an order in which they can run
	Tensors []Tensor  // parameters, buffers and constants, in the file's order
	Torch   string    // the version of PyTorch that wrote it
	// Extra are the files that the archive's author laid beside the network.
	Extra map[string]string
	// MinClips and MaxClips are the sizes that the batch may have; [Unbounded] is none.
	MinClips, MaxClips int
}

// Unbounded is the largest batch of a network that names none.
const Unbounded = math.MaxInt

// InputName is the name of a network's input.
const InputName = "input"

// A Tensor is a parameter, buffer or constant with its numbers. Those that are not trained are
// Buffers.
type Tensor struct {
	op.Tensor
	// Data has the element type that the Type of the tensor widens to: int64 for all whole numbers.
	Data ptfile.Array
	// Frozen says that it is a parameter of PyTorch's, but one that is not trained.
	Frozen bool
	// Lifted says that it is a number of the graph, and no attribute of the module.
	Lifted bool
	// Same is the name of the earlier tensor that it is another name of. No node takes it.
	Same string
}

// Names of records, below a folder of any name.
const (
	formatRecord    = "archive_format"
	archiveFormat   = "pt2"
	modelFolder     = "models/"
	modelSuffix     = ".json"
	weightFolder    = "data/weights/"
	weightConfig    = "_weights_config.json"
	constantFolder  = "data/constants/"
	constantConfig  = "_constants_config.json"
	inputFolder     = "data/sample_inputs/"
	extraFolder     = "extra/"
	orderRecord     = "byteorder"
	oldGraph        = "serialized_exported_program.json" // of PyTorch before 2.8
	oldWeightSuffix = ".pt"                              // of PyTorch 2.8: one pickle of all weights
)

// Is says whether the file at a path is an archive of torch.export, of any version of PyTorch.
func Is(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, 512)
	n, _ := io.ReadFull(f, start)
	if yes, known := begins(start[:n]); known {
		return yes
	}
	about, err := f.Stat()
	if err != nil || !about.Mode().IsRegular() {
		return false
	}
	return hasGraph(f, about.Size())
}

// IsArchive is [Is] of a file's content. Of one that is truncated the beginning decides.
func IsArchive(b []byte) bool {
	if yes, known := begins(b); known {
		return yes
	}
	return hasGraph(bytes.NewReader(b), int64(len(b)))
}

// begins tells by the first record's name where that is enough: PyTorch writes weights first.
func begins(b []byte) (yes, known bool) {
	const header, lengthAt = 30, 26
	if len(b) < header || !bytes.HasPrefix(b, []byte("PK\x03\x04")) {
		return false, true
	}
	name := b[header:min(len(b), header+int(b[lengthAt])+int(b[lengthAt+1])<<8)]
	switch _, rest, _ := strings.Cut(string(name), "/"); {
	case strings.HasPrefix(rest, weightFolder), strings.HasPrefix(rest, modelFolder), string(name) == oldGraph:
		return true, true
	case rest == "data.pkl":
		return false, true
	}
	return false, false
}

// Read reads the network of the archive at a path.
func Read(path string) (*Program, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// parse reads the content of an archive. Its memory is bounded by the content's size.
func parse(b []byte) (*Program, error) {
	a, err := open(b)
	if err != nil {
		return nil, err
	}
	e, err := a.exported()
	if err != nil {
		return nil, err
	}
	r, err := newReader(e)
	if err != nil {
		return nil, err
	}
	tensors, err := a.tensors(e, r)
	if err != nil {
		return nil, err
	}
	p := &Program{Tensors: tensors, Torch: e.TorchVersion}
	if p.Extra, err = a.extra(); err != nil {
		return nil, err
	}
	if err := r.read(p); err != nil {
		return nil, err
	}
	return p, nil
}
