package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/internal/atomicfile"
	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/export"
	"github.com/eegprune/eegprune/torch"
)

// An exporter is the command export with its flags.
type exporter struct {
	foreign            foreignFlags
	out                string
	python, onnx, int8 bool
}

func (a *app) exportCommand() *cobra.Command {
	var e exporter
	c := &cobra.Command{
		Use:   "export CHECKPOINT",
		Short: "Write a network for PyTorch or ONNX",
		Long: `export writes a network in the format of the file's ending:

  X.pt, X.pth     a state dict for torch.load, which eegprune opens too
  X.safetensors   the same as safetensors
  X.pt2           an archive of torch.export: graph and weights, which torch.export.load
                  reads, to run and to train
  X.py            a PyTorch class of the network, whole or pruned, that loads either.
                  --python writes it beside a .pt or .safetensors file too, as X.py
  X.onnx          an ONNX model (opset 17) from clips [batch, channels, height, width],
                  "input", to "logits", for batches of any size. A network of a .pt2
                  archive takes clips in the archive's own shape. An error names an
                  operation that ONNX lacks. --int8 stores weights as 8-bit integers:
                  compare onnxruntime's classes with those of "predict" on recordings,
                  since they may differ

The checkpoint may be of another program, as for "prune".`,
		Example: `  eegprune export recovered.safetensors --python --out small.pt
  eegprune export recovered.safetensors --out small.onnx
  eegprune export recovered.safetensors --out small.pt2`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return e.run(a, args[0]) },
	}
	outFlag(c, &e.out, "file", "file to write: .pt, .pth, .pt2, .safetensors, .py or .onnx")
	c.Flags().BoolVar(&e.python, "python", false, "write the PyTorch class, beside the tensors or alone")
	c.Flags().BoolVar(&e.onnx, "onnx", false, "write ONNX, whatever the ending of the file")
	c.Flags().BoolVar(&e.int8, "int8", false, "with ONNX, store weights as 8-bit integers")
	group(c.Flags(), ofOutput)
	e.foreign.register(c.Flags())
	return c
}

func (e *exporter) run(a *app, path string) error {
	extension := strings.ToLower(filepath.Ext(e.out))
	if e.onnx {
		extension = ".onnx"
	}
	isONNX, isPython := extension == ".onnx", extension == ".py"
	switch {
	case !isONNX && !isPython && !slices.Contains([]string{".pt", ".pth", ".pt2", ".safetensors"}, extension):
		return usageError{fmt.Errorf("--out: %s: networks are written to .pt, .pth, .pt2, .safetensors, .py and .onnx files", e.out)}
	case e.python && isONNX:
		return usageError{fmt.Errorf("--python: a PyTorch class can't load the ONNX file %s: write it beside a .pt or .safetensors file", e.out)}
	case e.python && extension == ".pt2":
		return usageError{fmt.Errorf("--python: %s needs no class, since an archive has the graph: leave out --python, or write a .pt or .safetensors file", e.out)}
	case e.int8 && !isONNX:
		return usageError{fmt.Errorf("--int8: only ONNX files have 8-bit weights, and %s is none", e.out)}
	}
	if err := e.foreign.check(); err != nil {
		return err
	}
	c, err := a.openCheckpoint(path, models.OpenOptions{Model: e.foreign.model, Weights: e.foreign.weights, Device: torch.CPU}, e.foreign.strict)
	if err != nil {
		return err
	}
	defer c.Close()
	n, origin := c.Network, c.Provenance
	if origin.Version == "" {
		origin.Version = version()
	}
	files := []string{e.out}
	switch extension {
	case ".onnx":
		err = e.writeONNX(n, origin)
	case ".py":
		err = writePython(e.out, n)
	default:
		err = n.SaveAs(e.out, origin)
	}
	if err == nil && e.python && !isPython {
		files = append(files, strings.TrimSuffix(e.out, filepath.Ext(e.out))+".py")
		err = writePython(files[1], n)
	}
	if err != nil {
		return err
	}
	return a.sayExported(n, files, origin.Notes)
}

func (e *exporter) writeONNX(n *models.Network, provenance any) error {
	metadata, err := n.Describe(provenance)
	if err != nil {
		return fmt.Errorf("writing %s: describing the network: %w", e.out, err)
	}
	o := export.ONNXOptions{Int8: e.int8, Version: version(), Metadata: metadata}
	return atomicfile.Write(e.out, func(w io.Writer) error { return export.ONNX(w, n, o) })
}

func writePython(path string, n *models.Network) error {
	return atomicfile.Write(path, func(w io.Writer) error { return export.Python(w, n.Arch, n.Masks()) })
}

func (a *app) sayExported(n *models.Network, files []string, notes note.List) error {
	type written struct {
		File  string `json:"file"`
		Bytes int64  `json:"bytes"`
	}
	var all []written
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return err
		}
		all = append(all, written{f, info.Size()})
	}
	if a.json {
		return json.NewEncoder(a.stdout).Encode(struct {
			Model string    `json:"model"`
			Files []written `json:"files"`
			Notes note.List `json:"notes,omitempty"`
		}{n.Arch.Model, all, notes})
	}
	for _, w := range all {
		if _, err := fmt.Fprintf(a.stdout, "%s: %s, %d bytes\n", w.File, n.Arch.Model, w.Bytes); err != nil {
			return err
		}
	}
	return nil
}
