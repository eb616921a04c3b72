package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/data/fetch"
	"github.com/eegprune/eegprune/data/source"
)

func (a *app) dataFetchCommand() *cobra.Command {
	var out, mirror string
	var subjects []string
	var dry bool
	var about strings.Builder
	for _, s := range fetch.Sets() {
		fmt.Fprintf(&about, "\n  %-9s %s", s.Name, s.About)
	}
	var closed []string
	for _, s := range fetch.ClosedSets() {
		closed = append(closed, s.Name)
	}
	c := &cobra.Command{
		Use:   "fetch NAME",
		Short: "Download an open data set from PhysioNet or OpenNeuro",
		Long: `fetch downloads the recordings of an open data set. It says first how large they are. It checks
each file against its checksum, or its size where the source has none. The same command goes on
where a download broke off:
` + about.String() + `

Owners give out other sets themselves. fetch says where to apply and what the directory must
hold: ` + strings.Join(closed, ", ") + `.`,
		Example: `  eegprune data fetch eegmat --out eegmat
  eegprune data fetch ds002721 --subjects 1-3 --out music
  eegprune data fetch emoeeg-mc --dry-run`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := fetch.Find(args[0])
			if err != nil {
				if closed := (fetch.ErrClosed{}); errors.As(err, &closed) {
					return err
				}
				return usageError{err}
			}
			if mirror != "" {
				set.URL = strings.TrimSuffix(mirror, "/") + "/"
			}
			if out == "" && !dry {
				return usageError{errors.New("no directory for the recordings was named: give it with --out, or --dry-run to see how large they are")}
			}
			out = cmp.Or(out, set.Name)
			p := a.progress()
			defer p.Close()
			plan, err := fetch.Prepare(cmd.Context(), set, out, fetch.Options{Subjects: subjects,
				Progress: func(done, total int, file string) { p.Reading(source.Progress{Done: done, Total: total, File: file}) }})
			if err != nil {
				return err
			}
			if dry {
				return a.showPlan(plan)
			}
			if !a.json {
				fmt.Fprintln(a.stdout, planned(plan))
			}
			r, err := plan.Get(cmd.Context())
			p.Close()
			if err != nil {
				return err
			}
			return a.showFetched(set, out, r)
		},
	}
	c.Flags().StringVar(&out, "out", "", "directory for the recordings; what is there already is kept")
	group(c.Flags(), ofOutput)
	takes(c.Flags(), "dir", "out")
	c.Flags().StringSliceVar(&subjects, "subjects", nil, "download only these subjects, such as 1,2 or 3-5 (default: all)")
	c.Flags().BoolVar(&dry, "dry-run", false, "list the files and their sizes, and download none")
	c.Flags().StringVar(&mirror, "mirror", "", "address of a copy of the data set's directory\nwith its SHA256SUMS.txt, or in a bucket that lists objects as S3 does")
	group(c.Flags(), ofData)
	takes(c.Flags(), "address", "mirror")
	takes(c.Flags(), "name,...", "subjects")
	return c
}

// planned says how large a data set is.
func planned(p *fetch.Plan) string {
	subjects := map[string]bool{}
	unknown := 0
	for _, w := range p.Files {
		if w.Subject != "" {
			subjects[w.Subject] = true
		}
		if w.Size < 0 {
			unknown++
		}
	}
	all, missing := p.Bytes()
	text := fmt.Sprintf("%s: %d files of %d subject(s), %s", p.Set.Name, len(p.Files), len(subjects), bytesOf(all))
	if unknown > 0 {
		text += fmt.Sprintf(" and %d files whose size is not known", unknown)
	}
	if missing < all {
		text += fmt.Sprintf(", of which %s are yet to come", bytesOf(missing))
	}
	return text + "; license: " + p.Set.License
}

func bytesOf(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// showPlan lists the files.
func (a *app) showPlan(p *fetch.Plan) error {
	if a.json {
		all, missing := p.Bytes()
		return json.NewEncoder(a.stdout).Encode(map[string]any{"name": p.Set.Name, "files": p.Files, "bytes": all, "missing": missing, "license": p.Set.License, "cite": p.Set.Cite})
	}
	for _, w := range p.Files {
		there := ""
		if w.Present {
			there = "  there"
		}
		fmt.Fprintf(a.stdout, "%12d  %s%s\n", w.Size, w.Name, there)
	}
	_, err := fmt.Fprintf(a.stdout, "%s\ncite: %s\n", planned(p), p.Set.Cite)
	return err
}

func (a *app) showFetched(set fetch.Set, out string, r *fetch.Result) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(map[string]any{"name": set.Name, "out": out, "files": r.Files, "present": r.Present,
			"bytes": r.Bytes, "by_size": r.BySize, "license": set.License, "cite": set.Cite})
	}
	bySize := ""
	if r.BySize > 0 {
		bySize = fmt.Sprintf("%d files have no checksum at their source and were checked by their size.\n", r.BySize)
	}
	_, err := fmt.Fprintf(a.stdout, "%d files of %s in %s, %d of them from before, %.1f MB got.\n%slicense: %s\ncite: %s\n",
		r.Files, set.Name, out, r.Present, float64(r.Bytes)/1e6, bySize, set.License, set.Cite)
	return err
}
