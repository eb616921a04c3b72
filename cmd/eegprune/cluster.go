package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"eegprune/experiment"
	"eegprune/internal/atomicfile"
	"eegprune/report"
)

func (a *app) studyShardCommand() *cobra.Command {
	var f studyFile
	var of int
	r := &runner{a: a, cache: f.cacheDir}
	c := &cobra.Command{
		Use:   "shard FILE",
		Short: "Show how a study is cut into shares",
		Long: `shard deals a study out to shares that can be carried out apart, "study run --share 1/N"
to "N/N": with a directory that all see, or each in its own, joined by "study merge". The
cells of one network on one fold start from each other and stay together.`,
		Example: `  eegprune study shard study.yaml --data recordings --of 2`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if of < 1 {
				return usageError{fmt.Errorf("--of: %d shares; there must be at least 1", of)}
			}
			configs, err := f.configs(args[0])
			if err != nil {
				return err
			}
			grid, err := r.open(cmd.Context(), configs)
			if err != nil {
				return err
			}
			defer grid.Close()
			plan, err := grid.Plan(experiment.RunOptions{})
			if err != nil {
				return err
			}
			plan.Cut(of)
			if a.json {
				return json.NewEncoder(a.stdout).Encode(plan)
			}
			t := report.NewTable(a.stdout, tw.AlignLeft, tw.AlignRight, tw.AlignRight, tw.AlignLeft)
			t.Header([]string{"share", "cells", "TMACs", "of"})
			for i := 1; i <= of; i++ {
				cells, macs := 0, 0.0
				var units []string
				for _, c := range plan.Cells {
					if c.Share != i {
						continue
					}
					cells++
					macs += float64(c.MACs)
					if u := fmt.Sprintf("%s fold %d", c.Cell.Model, c.Cell.Fold); len(units) == 0 || units[len(units)-1] != u {
						units = append(units, u)
					}
				}
				if err := t.Append([]string{fmt.Sprintf("%d/%d", i, of), fmt.Sprint(cells), fmt.Sprintf("%.1f", macs/1e12), strings.Join(units, ", ")}); err != nil {
					return err
				}
			}
			return t.Render()
		},
	}
	r.device.register(c.Flags())
	f.register(c)
	c.Flags().IntVar(&of, "of", 2, "number of shares")
	return c
}

// slurm is what a job array needs to be told.
type slurm struct {
	Name, Partition, Time, Memory, GPUs string
	CPUs, Of                            int
	Extra                               []string

	// What the script runs.
	Program, Study, Dir, Data, Cache, Device string
	Every                                    int
}

func (a *app) studySubmitCommand() *cobra.Command {
	var f studyFile
	var s slurm
	var useSlurm, dry bool
	c := &cobra.Command{
		Use:   "submit FILE",
		Short: "Carry out a study as a Slurm job array",
		Long: `submit writes two batch scripts into --out and submits them: an array with a task for
each share of the study, which all keep their results in --out, and a job that makes the
report when they have ended. The directory must be one that all nodes see. A task that is
requeued, after a node went down or time ran out, goes on where it was.`,
		Example: `  eegprune study submit study.yaml --slurm --data recordings --out study --of 4 --time 2:00:00 --dry-run`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if !useSlurm {
				return usageError{fmt.Errorf("say to which scheduler: --slurm")}
			}
			if err := s.check(); err != nil {
				return usageError{err}
			}
			if _, err := f.configs(args[0]); err != nil {
				return err
			}
			if err := s.paths(args[0], &f); err != nil {
				return err
			}
			array, after, err := s.write()
			if err != nil {
				return err
			}
			if dry {
				_, err := fmt.Fprintf(a.stdout, "wrote %s and %s; submit the second with --dependency=afterany:JOB of the first\n", array, after)
				return err
			}
			job, err := sbatch("--parsable", array)
			if err != nil {
				return err
			}
			last, err := sbatch("--parsable", "--dependency=afterany:"+job, after)
			if err != nil {
				return fmt.Errorf("the array is job %s, but the job that makes the report was not submitted: %w", job, err)
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]string{"array": job, "report": last, "out": s.Dir})
			}
			_, err = fmt.Fprintf(a.stdout, "job %s: %d shares; job %s makes the report when they have ended\n\"eegprune study show %s\" tells how far they are, their output is in %s\n",
				job, s.Of, last, s.Dir, filepath.Join(s.Dir, "slurm"))
			return err
		},
	}
	f.register(c)
	fl := c.Flags()
	fl.BoolVar(&useSlurm, "slurm", false, "submit to Slurm")
	fl.StringVar(&s.Dir, "out", "", "directory of the results, seen by all nodes")
	fl.IntVar(&s.Of, "of", 4, "number of shares, each a task of the array")
	fl.StringVar(&s.Name, "name", "eegprune", "name of the jobs")
	fl.StringVar(&s.Partition, "partition", "", "partition (default: the cluster's)")
	fl.StringVar(&s.Time, "time", "", "time limit of a task, as sbatch takes it (default: the partition's)")
	fl.StringVar(&s.Memory, "mem", "", "memory of a task, such as 8G (default: the cluster's)")
	fl.StringVar(&s.GPUs, "gpus", "", "GPUs of a task, as --gres=gpu:N takes them (default: none)")
	fl.IntVar(&s.CPUs, "cpus", 1, "CPUs of a task: as many cells run side by side")
	fl.StringArrayVar(&s.Extra, "sbatch", nil, "another option for the array's sbatch, such as --sbatch=--account=lab (may be repeated)")
	fl.StringVar(&s.Device, "device", "auto", "device of the cells")
	fl.IntVar(&s.Every, "checkpoint-every", 0, "epochs after which a training is kept (default: when half a minute has passed)")
	fl.BoolVar(&dry, "dry-run", false, "write the scripts and submit nothing")
	_ = c.MarkFlagRequired("out")
	return c
}

// plain is what may stand in a line of a batch script without quotes.
var plain = regexp.MustCompile(`^[A-Za-z0-9_.,:/=%+@-]*$`)

func (s *slurm) check() error {
	if s.Of < 1 || s.CPUs < 1 {
		return fmt.Errorf("--of %d, --cpus %d: both are at least 1", s.Of, s.CPUs)
	}
	for _, v := range append([]string{s.Name, s.Partition, s.Time, s.Memory, s.GPUs, s.Device}, s.Extra...) {
		if !plain.MatchString(v) {
			return fmt.Errorf("%q can't stand in a batch script: use letters, digits and _.,:/=%%+@-", v)
		}
	}
	return nil
}

// paths fills in what the scripts run, by absolute paths.
func (s *slurm) paths(study string, f *studyFile) (err error) {
	if s.Program, err = os.Executable(); err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	if s.Cache, err = f.cacheDir(); err != nil {
		return err
	}
	s.Study, s.Data = study, f.dir
	for _, p := range []*string{&s.Study, &s.Dir, &s.Data, &s.Cache} {
		if *p == "" {
			continue
		}
		if *p, err = filepath.Abs(*p); err != nil {
			return err
		}
	}
	return nil
}

// quote makes one word of the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

var arrayScript = template.Must(template.New("array").Funcs(template.FuncMap{"quote": quote}).Parse(`#!/bin/bash
#SBATCH --job-name={{.Name}}
#SBATCH --array=1-{{.Of}}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm/%A_%a.log
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={{.CPUs}}
{{- with .Partition}}
#SBATCH --partition={{.}}{{end}}
{{- with .Time}}
#SBATCH --time={{.}}{{end}}
{{- with .Memory}}
#SBATCH --mem={{.}}{{end}}
{{- with .GPUs}}
#SBATCH --gres=gpu:{{.}}{{end}}
{{- range .Extra}}
#SBATCH {{.}}{{end}}
# A share that is stopped goes on from its checkpoints when it is requeued.
exec {{quote .Program}} study run {{quote .Study}} --share "$SLURM_ARRAY_TASK_ID/{{.Of}}" --out {{quote .Dir}} --jobs "${SLURM_CPUS_PER_TASK:-1}" --device {{.Device}} --cache {{quote .Cache}}
{{- with .Data}} --data {{quote .}}{{end}}{{with .Every}} --checkpoint-every {{.}}{{end}}
`))

var reportScript = template.Must(template.New("report").Funcs(template.FuncMap{"quote": quote}).Parse(`#!/bin/bash
#SBATCH --job-name={{.Name}}-report
#SBATCH --open-mode=append
#SBATCH --output=slurm/%j.log
#SBATCH --ntasks=1
{{- with .Partition}}
#SBATCH --partition={{.}}{{end}}
exec {{quote .Program}} study results {{quote .Dir}}
`))

// write writes the scripts into the directory of the results.
func (s *slurm) write() (array, after string, err error) {
	if err := os.MkdirAll(filepath.Join(s.Dir, "slurm"), 0o755); err != nil {
		return "", "", fmt.Errorf("making the results directory: %w", err)
	}
	array, after = filepath.Join(s.Dir, "slurm", "array.sbatch"), filepath.Join(s.Dir, "slurm", "report.sbatch")
	for path, t := range map[string]*template.Template{array: arrayScript, after: reportScript} {
		var b bytes.Buffer
		if err := t.Execute(&b, s); err != nil {
			return "", "", fmt.Errorf("writing %s: %w", path, err)
		}
		if err := atomicfile.WriteFile(path, b.Bytes()); err != nil {
			return "", "", err
		}
	}
	return array, after, nil
}

// sbatch submits a script from the directory of the results, below which its output goes,
// and returns the job's number.
func sbatch(args ...string) (string, error) {
	c := exec.Command("sbatch", args...)
	c.Dir = filepath.Dir(filepath.Dir(args[len(args)-1]))
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("sbatch %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	job, _, _ := strings.Cut(strings.TrimSpace(string(out)), ";")
	return job, nil
}
