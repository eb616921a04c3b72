package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment/slurm"
)

func (a *app) studySubmitCommand() *cobra.Command {
	var f studyFile
	var j slurm.Jobs
	var useSlurm, dry bool
	c := &cobra.Command{
		Use:   "submit FILE",
		Short: "Carry out a study as a Slurm job array",
		Long: `submit writes two batch scripts into --out and submits them to Slurm: an array with a task for
each share of the study, and a job that makes the report when they have ended. All nodes must
see the directory. A task is requeued when its node went down, and when its time is nearly
over, and goes on where it was.`,
		Example: `  eegprune study submit study.yaml --slurm --data recordings --out study --of 4 --time 2:00:00 --dry-run`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !useSlurm {
				return usageError{fmt.Errorf("say to which scheduler: --slurm")}
			}
			if err := j.Check(); err != nil {
				return usageError{err}
			}
			if err := slurm.Available(); err != nil && !dry {
				return err
			}
			configs, err := f.configs(args[0])
			if err != nil {
				return err
			}
			j.Data = configs[0].Data.Dir
			if j.Program, err = os.Executable(); err != nil {
				return fmt.Errorf("finding this program: %w", err)
			}
			if j.Cache, err = f.cache.dir(); err != nil {
				return err
			}
			scripts, err := j.Write(args[0])
			if err != nil {
				return err
			}
			if dry {
				_, err := fmt.Fprintf(a.stdout, "wrote %s and %s; in %s submit the first, and the second with --dependency=afterany:JOB of the first\n", scripts.Array, scripts.Report, scripts.Dir)
				return err
			}
			array, report, err := scripts.Submit(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]string{"array": array, "report": report, "out": scripts.Dir})
			}
			_, err = fmt.Fprintf(a.stdout, "job %s: %d shares; job %s makes the report when they have ended\n\"eegprune study show %s\" tells how far they are, their output is in %s\n",
				array, j.Shares, report, scripts.Dir, filepath.Join(scripts.Dir, "slurm"))
			return err
		},
	}
	f.register(c)
	s := c.Flags()
	s.BoolVar(&useSlurm, "slurm", false, "submit to Slurm")
	s.IntVar(&j.Shares, "of", 4, "number of shares, each a task of the array")
	s.StringVar(&j.Name, "name", "eegprune", "name of the jobs")
	s.StringVar(&j.Partition, "partition", "", "partition (default: the cluster's)")
	s.StringVar(&j.Time, "time", "", "time limit of a task, as sbatch takes it (default: the partition's)")
	s.StringVar(&j.Memory, "mem", "", "memory of a task, such as 8G (default: the cluster's)")
	s.StringVar(&j.GPUs, "gpus", "", "GPUs of a task, as --gres=gpu:N takes them (default: none)")
	s.IntVar(&j.CPUs, "cpus", 1, "CPUs of a task, and cells that run side by side")
	s.StringArrayVar(&j.Options, "sbatch", nil, "another option of sbatch for both jobs, such as --sbatch=--account=lab (may be repeated)")
	s.StringVar(&j.Device, "device", "auto", "device of the cells")
	s.BoolVar(&dry, "dry-run", false, "write the scripts and submit nothing")
	group(s, ofSlurm)
	takes(s, "time", "time")
	takes(s, "size", "mem")
	takes(s, "n", "gpus")
	takes(s, "option", "sbatch")
	outFlag(c, &j.Dir, "dir", "directory of the results, seen by all nodes")
	everyFlag(s, &j.Every)
	boardFlag(s, &j.Board)
	return c
}
