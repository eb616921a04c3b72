package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
)

// inspectExported lists the layers of a network that PyTorch exported, and those that could be
// pruned.
func (a *app) inspectExported(path string, m models.Meta) error {
	arch := m.Arch
	size, err := experiment.SizeOf(arch, m.Masks, path)
	if err != nil {
		return err
	}
	type layer struct {
		Name  string `json:"name"`
		Op    string `json:"op"`
		Gives []int  `json:"gives"` // for one clip
		MACs  int64  `json:"macs,omitempty"`
	}
	var layers []layer
	err = arch.Walk(func(c *op.Call) {
		l := layer{Name: c.Name, Op: c.Op, Gives: c.Out}
		if macs := c.Operation().MACs; macs != nil {
			l.MACs = macs(c)
		}
		layers = append(layers, l)
	})
	if err != nil {
		return err
	}
	removed := arch.Removed
	if removed == nil {
		removed = []models.Removal{}
	}
	if a.json {
		groups := []map[string]any{}
		for _, g := range arch.Groups {
			groups = append(groups, map[string]any{"name": g.Name, "channels": g.Channels, "kept": g.Kept, "parts": g.Parts})
		}
		return json.NewEncoder(a.stdout).Encode(map[string]any{"model": arch.Model, "input": arch.Exported.Input, "classes": arch.Classes, "torch": arch.Exported.Torch,
			"trained": arch.Exported.Trained, "layers": layers, "groups": groups, "whole": arch.Whole, "removed": removed, "size": size})
	}
	w := a.stdout
	fmt.Fprintf(w, "%s, exported by PyTorch %s\n", arch.Model, arch.Exported.Torch)
	fmt.Fprintf(w, "input       %s, %d classes\n", shapeText(arch.Exported.Input), arch.Classes)
	fmt.Fprintf(w, "parameters  %d, MACs %d, file %d bytes\n", size.Parameters, size.MACs, size.FileBytes)
	if why := arch.Exported.Trained; why != "" {
		fmt.Fprintf(w, "weights     look trained: %s\n", why)
	}
	for _, l := range layers {
		cost := ""
		if l.MACs > 0 {
			cost = fmt.Sprintf(", %d MACs", l.MACs)
		}
		fmt.Fprintf(w, "layer       %-28s %-32s %s%s\n", l.Name, strings.TrimPrefix(l.Op, "aten."), shapeText(l.Gives), cost)
	}
	for _, g := range arch.Groups {
		kept := ""
		if g.Kept != nil {
			kept = fmt.Sprintf(", kept %v", g.Kept)
		}
		fmt.Fprintf(w, "channels    %s: %d%s\n", strings.Join(g.Layers(op.Filter), " + "), g.Channels, kept)
	}
	for _, whole := range arch.Whole {
		fmt.Fprintf(w, "whole       %s: %s\n", whole.Layer, whole.Why)
	}
	for _, r := range removed {
		fmt.Fprintf(w, "removed     %s: %d of %d along dimension %d (%s)\n", r.Tensor, r.Size-len(r.Kept), r.Size, r.Dim, r.Role)
	}
	return nil
}

// shapeText prints a shape whose first size is the clips': "[clips, 22, 1000]".
func shapeText(shape []int) string {
	texts := make([]string, len(shape))
	for i, n := range shape {
		switch {
		case n == op.Batch:
			texts[i] = "clips"
		case n < 0:
			texts[i] = fmt.Sprintf("%d clips", -n)
		default:
			texts[i] = fmt.Sprint(n)
		}
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
