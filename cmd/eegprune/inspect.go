package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/data/charset"
	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
)

func (a *app) inspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE|DIR",
		Short: "Describe a checkpoint, a recording or a study",
		Example: `  eegprune inspect pruned.safetensors
  eegprune inspect recordings/s01.edf
  eegprune inspect study`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := args[0]
			info, err := os.Stat(path)
			switch lower := strings.ToLower(path); {
			case err != nil:
				return err
			case info.IsDir():
				return a.inspectStudy(path)
			case models.IsExported(path), strings.HasSuffix(lower, ".safetensors"), strings.HasSuffix(lower, ".pt"), strings.HasSuffix(lower, ".pth"), strings.HasSuffix(lower, ".ckpt"):
				return a.inspectCheckpoint(path)
			case strings.HasSuffix(lower, ".edf") || strings.HasSuffix(lower, ".bdf"):
				return a.inspectRecording(path)
			}
			return usageError{fmt.Errorf("%s: inspect knows .safetensors, .pt, .pth, .ckpt, .pt2, .edf and .bdf files and directories of results", path)}
		},
	}
}

func (a *app) inspectStudy(dir string) error {
	s, err := result.Read(dir)
	if err != nil {
		return fmt.Errorf("%w; a directory of results has a %s, which \"eegprune run\" writes", err, result.File)
	}
	if a.json {
		return json.NewEncoder(a.stdout).Encode(s)
	}
	return report.Text(a.stdout, s)
}

func (a *app) inspectCheckpoint(path string) error {
	m, err := models.ReadMeta(path)
	switch {
	case err != nil && models.IsExported(path):
		return err
	case err != nil:
		return a.inspectTensors(path, err)
	case m.Arch.Exported != nil:
		return a.inspectExported(path, m)
	}
	p, err := experiment.ReadProvenance(path, m)
	if err != nil {
		return err
	}
	size, err := experiment.SizeOf(m.Arch, m.Masks, path)
	if err != nil {
		return err
	}
	if a.json {
		return json.NewEncoder(a.stdout).Encode(map[string]any{"arch": m.Arch, "provenance": p, "size": size})
	}
	w := a.stdout
	fmt.Fprintf(w, "%s, %s, %s\n", m.Arch.Model, p.Cell.Stage, experiment.FoldName(p.Cell))
	fmt.Fprintf(w, "input       %v, classes %s\n", m.Arch.Input, strings.Join(p.Classes, ", "))
	fmt.Fprintf(w, "parameters  %d, MACs %d, file %d bytes\n", size.Parameters, size.MACs, size.FileBytes)
	for _, g := range m.Arch.Groups {
		kept := ""
		if g.Kept != nil {
			kept = fmt.Sprintf(", kept %v", g.Kept)
		}
		fmt.Fprintf(w, "channels    %s: %d%s\n", g.Name, g.Channels, kept)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Masks)) {
		fmt.Fprintf(w, "mask        %s: %d of %d stay\n", name, m.Masks[name].Count(), m.Masks[name].Len())
	}
	if len(m.Masks) > 0 {
		fmt.Fprintf(w, "nonzero     parameters %d, MACs %d\n", size.NonzeroParameters, size.NonzeroMACs)
	}
	if p.Test.Clips > 0 {
		fmt.Fprintf(w, "test        accuracy %.1f %% on %d clips (majority class %.1f %%)\n", 100*p.Test.Accuracy, p.Test.Clips, 100*p.Test.Majority)
	}
	fmt.Fprintf(w, "data        %s\nwritten by  eegprune %s\n", p.Config.Data.Dir, p.Version)
	return writeNotes(w, p.Notes)
}

// inspectTensors shows a file of tensors that some other program wrote.
func (a *app) inspectTensors(path string, why error) error {
	f, err := torch.ReadStateFile(path)
	if err != nil {
		return err
	}
	shapes := map[string][]int{}
	for _, d := range f.Dicts {
		for _, n := range d.Tensors {
			shapes[strings.TrimPrefix(d.Key+"."+n.Name, ".")] = n.Shape
		}
	}
	if a.json {
		return json.NewEncoder(a.stdout).Encode(map[string]any{"tensors": shapes})
	}
	var names []string
	for n := range shapes {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		fmt.Fprintf(a.stdout, "%-40s %v\n", n, shapes[n])
	}
	_, err = fmt.Fprintf(a.stdout, "(%v)\n", why)
	return err
}

func (a *app) inspectRecording(path string) error {
	f, err := edf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if a.json {
		return json.NewEncoder(a.stdout).Encode(struct {
			edf.Header
			Notes note.List `json:"notes,omitempty"`
		}{f.Header, f.Notes})
	}
	return writeHeader(a.stdout, path, f)
}

func writeHeader(w io.Writer, path string, f *edf.File) error {
	kind := "EDF"
	switch {
	case f.BDF:
		kind = "BDF"
	case f.Discontinuous:
		kind = "EDF+, interrupted"
	case f.Plus:
		kind = "EDF+"
	}
	fmt.Fprintf(w, "%s: %s, %d records of %g s: %g s, started %s %s\n", path, kind, f.Records, f.RecordSeconds,
		float64(f.Records)*f.RecordSeconds, f.StartDate, f.StartTime)
	for i, s := range f.Signals {
		if s.IsAnnotation() {
			fmt.Fprintf(w, "%3d  annotations\n", i+1)
			continue
		}
		label, _ := charset.Decoder{}.Text(s.Label)
		dimension, _ := charset.Decoder{}.Text(s.Dimension)
		fmt.Fprintf(w, "%3d  %-16s %g Hz, %g to %g %s\n", i+1, label, f.Rate(i), s.PhysicalMin, s.PhysicalMax, dimension)
		if s.Unfit != "" {
			fmt.Fprintf(w, "     no physical values: %s\n", s.Unfit)
		}
	}
	return writeNotes(w, f.Notes)
}
