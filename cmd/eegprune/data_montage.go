package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"eegprune/data/montage"
	"eegprune/report"
)

func (a *app) dataMontageCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "montage [NAME]",
		Short: "List the known montages, or draw one on the electrode grid",
		Example: `  eegprune data montage
  eegprune data montage deap`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listMontages()
			}
			m, err := montage.Find(args[0])
			if err != nil {
				return usageError{err}
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(montageReport(m))
			}
			return drawMontage(a.stdout, m)
		},
	}
}

func montageReport(m montage.Montage) map[string]any {
	places := map[string][2]int{}
	for _, e := range m.Electrodes {
		if r, c, ok := montage.OnGrid(e); ok {
			places[e] = [2]int{r, c}
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
	fmt.Fprintf(w, "%s: %s, seen from above, the nose at the top\n\n%s\n", m.Name, m.About, montage.Draw(m.Electrodes))
	if off := offGrid(m.Electrodes); len(off) > 0 {
		fmt.Fprintf(w, "without a place on the grid: %s\n", strings.Join(off, " "))
	}
	_, err := fmt.Fprintf(w, "in order: %s\n", strings.Join(m.Electrodes, " "))
	return err
}

func offGrid(electrodes []string) []string {
	off := []string{}
	for _, e := range electrodes {
		if _, _, ok := montage.OnGrid(e); !ok {
			off = append(off, e)
		}
	}
	return off
}
