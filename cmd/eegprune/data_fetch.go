package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"eegprune/data/fetch"
	"eegprune/data/source"
)

func (a *app) dataFetchCommand() *cobra.Command {
	var out, mirror string
	var about strings.Builder
	for _, s := range fetch.Sets() {
		fmt.Fprintf(&about, "\n  %-9s %s", s.Name, s.About)
	}
	c := &cobra.Command{
		Use:   "fetch NAME",
		Short: "Get an open data set from PhysioNet",
		Long: `fetch gets the recordings of an open data set, checks each file's checksum, and goes on
where it was broken off:
` + about.String(),
		Example: `  eegprune data fetch eegmat --out eegmat`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := fetch.Find(args[0])
			if err != nil {
				return usageError{err}
			}
			if mirror != "" {
				set.URL = strings.TrimSuffix(mirror, "/") + "/"
			}
			p := a.progress()
			r, err := fetch.Fetch(cmd.Context(), set, out, fetch.Options{
				Progress: func(done, total int, file string) { p.Reading(source.Progress{Done: done, Total: total, File: file}) }})
			p.Close()
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"name": set.Name, "out": out, "files": r.Files, "present": r.Present,
					"bytes": r.Bytes, "license": set.License, "cite": set.Cite})
			}
			_, err = fmt.Fprintf(a.stdout, "%d files of %s in %s, %d of them from before, %.1f MB got.\nlicense: %s\ncite: %s\n",
				r.Files, set.Name, out, r.Present, float64(r.Bytes)/1e6, set.License, set.Cite)
			return err
		},
	}
	outFlag(c, &out, "dir", "directory for the recordings; what is there already is kept")
	c.Flags().StringVar(&mirror, "mirror", "", "address of a copy of the data set's directory, with its SHA256SUMS.txt")
	group(c.Flags(), ofData)
	takes(c.Flags(), "address", "mirror")
	return c
}
