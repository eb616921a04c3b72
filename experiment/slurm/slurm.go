// Package slurm carries a study out on a Slurm cluster: as an array of jobs with a task for each
// share, which all keep their results in one directory, and a job that makes the report of it when
// they have ended.
package slurm

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/eegprune/eegprune/internal/atomicfile"
)

// Jobs are the resources asked of Slurm and the settings of the tasks. The cluster or the program
// decides those that are "" or 0, but for CPUs and Shares.
type Jobs struct {
	Name                          string
	Partition, Time, Memory, GPUs string   // as sbatch takes them; GPUs as --gres=gpu:N does
	CPUs                          int      // of a task: as many cells run side by side
	Shares                        int      // each a task of the array
	Options                       []string // further ones for sbatch, of both jobs

	Program string // the path of eegprune
	Dir     string // of the results, seen by all nodes
	Data    string // directory of the recordings
	Cache   string // directory that keeps features
	Device  string // of the cells
	Board   string // directory for TensorBoard
	Every   int    // epochs after which a training is kept
}

// plain matches words that may stand in a line of a batch script without quotes.
var plain = regexp.MustCompile(`^[A-Za-z0-9_.,:/=%+@-]*$`)

// Check returns an error that names a setting which can't be used.
func (j Jobs) Check() error {
	if j.Shares < 1 || j.CPUs < 1 {
		return fmt.Errorf("%d shares on %d CPUs: both are at least 1", j.Shares, j.CPUs)
	}
	for _, v := range append([]string{j.Name, j.Partition, j.Time, j.Memory, j.GPUs, j.Device}, j.Options...) {
		if !plain.MatchString(v) {
			return fmt.Errorf("%q can't stand in a batch script: use letters, digits and _.,:/=%%+@-", v)
		}
	}
	return nil
}

// Scripts are the batch scripts of a study, by absolute paths.
type Scripts struct {
	Dir    string // of the results
	Array  string // a task for each share
	Report string // makes the report
}

// Write writes the scripts into the directory of the results, with a copy of the study file: its
// author may change that while tasks wait. They run in the working directory.
func (j Jobs) Write(study string) (Scripts, error) {
	if err := j.Check(); err != nil {
		return Scripts{}, err
	}
	text, err := os.ReadFile(study)
	if err != nil {
		return Scripts{}, fmt.Errorf("reading the study: %w", err)
	}
	for _, p := range []*string{&j.Dir, &j.Cache, &j.Board} {
		if *p == "" {
			continue
		}
		if *p, err = filepath.Abs(*p); err != nil {
			return Scripts{}, err
		}
	}
	work, err := os.Getwd()
	if err != nil {
		return Scripts{}, fmt.Errorf("finding the working directory: %w", err)
	}
	dir := filepath.Join(j.Dir, "slurm")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Scripts{}, fmt.Errorf("making the results directory: %w", err)
	}
	said := struct {
		Jobs
		Work, Study string
	}{j, work, filepath.Join(dir, "study.yaml")}
	if err := atomicfile.WriteFile(said.Study, text); err != nil {
		return Scripts{}, err
	}
	s := Scripts{Dir: j.Dir, Array: filepath.Join(dir, "array.sbatch"), Report: filepath.Join(dir, "report.sbatch")}
	for path, t := range map[string]*template.Template{s.Array: arrayScript, s.Report: reportScript} {
		var b bytes.Buffer
		if err := t.Execute(&b, said); err != nil {
			return Scripts{}, fmt.Errorf("writing %s: %w", path, err)
		}
		if err := atomicfile.WriteFile(path, b.Bytes()); err != nil {
			return Scripts{}, err
		}
	}
	return s, nil
}

// Available returns an error where there is no Slurm to submit to.
func Available() error {
	if _, err := exec.LookPath("sbatch"); err != nil {
		return fmt.Errorf("there is no sbatch here: submit from a login node of the cluster, or write the scripts with --dry-run and submit them there")
	}
	return nil
}

// Submit submits the array, and the report to follow it, and returns the numbers of both jobs.
func (s Scripts) Submit(ctx context.Context) (array, report string, err error) {
	if array, err = s.sbatch(ctx, s.Array); err != nil {
		return "", "", err
	}
	if report, err = s.sbatch(ctx, "--dependency=afterany:"+array, s.Report); err != nil {
		return array, "", fmt.Errorf("the array is job %s, but the job that makes the report was not submitted: %w", array, err)
	}
	return array, report, nil
}

// sbatch submits a script from the directory of the results, below which its output goes, and
// returns the job's number.
func (s Scripts) sbatch(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "sbatch", append([]string{"--parsable"}, args...)...)
	c.Dir = s.Dir
	var stderr strings.Builder // apart: clusters greet there
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("Slurm refused the job: %s", cmp.Or(complaint(stderr.String()), err.Error()))
	}
	job, _, _ := strings.Cut(strings.TrimSpace(string(out)), ";")
	return job, nil
}

// complaint returns the errors in sbatch's output, in one line.
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
