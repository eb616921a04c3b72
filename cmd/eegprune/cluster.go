package main

import (
	"bytes"
	"cmp"
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
					if u := c.Cell.Model + " " + foldName(c.Cell); len(units) == 0 || units[len(units)-1] != u {
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
	Program, Work, Study, Dir, Data, Cache, Device, Board string
	Every                                                 int
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
report when they have ended. The directory must be one that all nodes see. A task is
requeued when its node went down, and when its time is nearly over, and goes on where it
was.`,
		Example: `  eegprune study submit study.yaml --slurm --data recordings --out study --of 4 --time 2:00:00 --dry-run`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if !useSlurm {
				return usageError{fmt.Errorf("say to which scheduler: --slurm")}
			}
			if err := s.check(); err != nil {
				return usageError{err}
			}
			if _, err := exec.LookPath("sbatch"); err != nil && !dry {
				return fmt.Errorf("there is no sbatch here: submit from a login node of the cluster, or write the scripts with --dry-run and submit them there")
			}
			configs, err := f.configs(args[0])
			if err != nil {
				return err
			}
			s.Data = configs[0].Data.Dir
			if err := s.paths(&f); err != nil {
				return err
			}
			array, after, err := s.write(args[0])
			if err != nil {
				return err
			}
			if dry {
				_, err := fmt.Fprintf(a.stdout, "wrote %s and %s; in %s submit the first, and the second with --dependency=afterany:JOB of the first\n", array, after, s.Dir)
				return err
			}
			job, err := sbatch(array)
			if err != nil {
				return err
			}
			last, err := sbatch("--dependency=afterany:"+job, after)
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
	fl.StringArrayVar(&s.Extra, "sbatch", nil, "another option for sbatch, of both jobs, such as --sbatch=--account=lab (may be repeated)")
	fl.StringVar(&s.Device, "device", "auto", "device of the cells")
	fl.IntVar(&s.Every, "checkpoint-every", 0, "epochs after which a training is kept (default: when half a minute has passed)")
	boardFlag(fl, &s.Board)
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
func (s *slurm) paths(f *studyFile) (err error) {
	if s.Program, err = os.Executable(); err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	if s.Work, err = os.Getwd(); err != nil {
		return fmt.Errorf("finding the working directory: %w", err)
	}
	if s.Cache, err = f.cacheDir(); err != nil {
		return err
	}
	for _, p := range []*string{&s.Dir, &s.Cache, &s.Board} {
		if *p == "" {
			continue
		}
		if *p, err = filepath.Abs(*p); err != nil {
			return err
		}
	}
	s.Study = filepath.Join(s.Dir, "slurm", "study.yaml")
	return nil
}

// quote makes one word of the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

var arrayScript = template.Must(template.New("array").Funcs(template.FuncMap{"quote": quote}).Parse(`#!/bin/bash
#SBATCH --job-name={{.Name}}
#SBATCH --array=1-{{.Of}}
#SBATCH --requeue
#SBATCH --signal=B:USR1@60
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
cd {{quote .Work}} || exit
share=$SLURM_ARRAY_TASK_ID/{{.Of}}
begun={{quote .Dir}}/slurm/begun-$SLURM_ARRAY_TASK_ID
: > "$begun"
echo "share $share on $SLURMD_NODENAME, job ${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID, requeued ${SLURM_RESTART_COUNT:-0} times, $(date '+%F %T')"
{{quote .Program}} study run {{quote .Study}} --share "$share" --out {{quote .Dir}} --jobs "${SLURM_CPUS_PER_TASK:-1}" --device {{.Device}} --cache {{quote .Cache}} --data {{quote .Data}}
{{- with .Every}} --checkpoint-every {{.}}{{end}}
{{- with .Board}} --tensorboard {{quote .}}{{end}} &
program=$!
# USR1 comes when the time is nearly over. TERM, from scancel, Slurm sends to the program too.
trap 'late=yes; kill -TERM $program' USR1
trap : TERM
code=0
wait $program || code=$?
while kill -0 $program 2>/dev/null; do
  code=0
  wait $program || code=$?
done
if [ -n "$late" ] && [ $code != 0 ]; then
  # Not again and again where one start's time is too short to keep anything.
  if [ -n "$(find {{quote .Dir}}/cells {{quote .Dir}}/training -type f -newer "$begun" -print -quit)" ]; then
    echo "the time is over: share $share is requeued and goes on from what is kept"
    scontrol requeue "$SLURM_JOB_ID"
  else
    echo "nothing was finished or kept in the time that the job has: submit it with a longer --time or a smaller --checkpoint-every"
  fi
fi
exit $code
`))

var reportScript = template.Must(template.New("report").Funcs(template.FuncMap{"quote": quote}).Parse(`#!/bin/bash
#SBATCH --job-name={{.Name}}-report
#SBATCH --open-mode=append
#SBATCH --output=slurm/%j.log
#SBATCH --ntasks=1
{{- with .Partition}}
#SBATCH --partition={{.}}{{end}}
{{- range .Extra}}
#SBATCH {{.}}{{end}}
exec {{quote .Program}} study results {{quote .Dir}}
`))

// write writes the scripts into the directory of the results, with a copy of the study: its
// author may change the file while tasks wait.
func (s *slurm) write(study string) (array, after string, err error) {
	text, err := os.ReadFile(study)
	if err != nil {
		return "", "", fmt.Errorf("reading the study: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(s.Dir, "slurm"), 0o755); err != nil {
		return "", "", fmt.Errorf("making the results directory: %w", err)
	}
	if err := atomicfile.WriteFile(s.Study, text); err != nil {
		return "", "", err
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
	c := exec.Command("sbatch", append([]string{"--parsable"}, args...)...)
	c.Dir = filepath.Dir(filepath.Dir(args[len(args)-1]))
	var stderr strings.Builder // apart: clusters greet there
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("Slurm refused the job: %s", cmp.Or(complaint(stderr.String()), err.Error()))
	}
	job, _, _ := strings.Cut(strings.TrimSpace(string(out)), ";")
	return job, nil
}

// complaint is what sbatch says of an error, in one line.
func complaint(stderr string) string {
	var all []string
	first := ""
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		first = cmp.Or(first, strings.TrimPrefix(line, "sbatch: "))
		if text, ok := strings.CutPrefix(line, "sbatch: error: "); ok {
			all = append(all, strings.TrimPrefix(text, "Batch job submission failed: "))
		}
	}
	return cmp.Or(strings.Join(all, "; "), first) // an option that there isn't is no "error"
}
