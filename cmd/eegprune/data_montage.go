package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/report"
)

func (a *app) dataMontageCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "montage [NAME|FILE]",
		Short: "List the known montages, or draw one on the electrode grid",
		Long: `montage draws the places of electrodes on the 9x9 grid of ToGrid: those of a known montage, or
of a montage file (` + strings.Join(montage.Extensions(), ", ") + `).`,
		Example: `  eegprune data montage
  eegprune data montage deap`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listMontages()
			}
			m, err := findMontage(args[0])
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(montageReport(m))
			}
			return drawMontage(a.stdout, m)
		},
	}
}

// findMontage returns a known montage, or that of a file.
func findMontage(name string) (montage.Montage, error) {
	m, err := montage.Find(name)
	if err == nil {
		return m, nil
	}
	if _, e := os.Stat(name); e != nil {
		return m, usageError{err}
	}
	p, err := montage.ReadFile(name)
	if err != nil {
		return m, err
	}
	return p.Montage(name)
}

func montageReport(m montage.Montage) map[string]any {
	places := map[string][2]int{}
	cells := m.Cells()
	for i, e := range m.Electrodes {
		if c := cells[i]; c >= 0 {
			places[e] = [2]int{c / montage.GridSize, c % montage.GridSize}
		}
	}
	return map[string]any{"name": m.Name, "about": m.About, "electrodes": m.Electrodes, "grid": places}
}

func (a *app) listMontages() error {
	if a.json {
		list := []map[string]any{}
		for _, m := range montage.Montages() {
			list = append(list, montageReport(m))
		}
		return json.NewEncoder(a.stdout).Encode(list)
	}
	t := report.NewTable(a.stdout, tw.AlignLeft, tw.AlignRight, tw.AlignLeft)
	t.Header([]string{"montage", "electrodes", "what it is"})
	for _, m := range montage.Montages() {
		if err := t.Append([]string{m.Name, strconv.Itoa(len(m.Electrodes)), m.About}); err != nil {
			return err
		}
	}
	return t.Render()
}

func drawMontage(w io.Writer, m montage.Montage) error {
	fmt.Fprintf(w, "%s: %s, seen from above, the nose at the top\n\n%s\n", m.Name, m.About, m.Draw())
	if off := offGrid(m); len(off) > 0 {
		fmt.Fprintf(w, "without a place on the grid: %s\n", strings.Join(off, " "))
	}
	_, err := fmt.Fprintf(w, "in order: %s\n", strings.Join(m.Electrodes, " "))
	return err
}

func offGrid(m montage.Montage) []string {
	off := []string{}
	for i, c := range m.Cells() {
		if c < 0 {
			off = append(off, m.Electrodes[i])
		}
	}
	return off
}
