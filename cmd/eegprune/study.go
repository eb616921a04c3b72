package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"eegprune/data"
	"eegprune/experiment"
)

func (a *app) studyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "study",
		Short: "Carry out a whole study that a file describes",
		Long: `A study is a file: data, networks, methods, ratios, ways to recover, folds. Its parts
share what they can, run side by side, and go on where they were after any end.`,
	}
	c.AddCommand(a.studyRunCommand())
	return c
}

// studyFile is the file of a study and where its recordings are.
type studyFile struct {
	dir, cache string
}

func (f *studyFile) register(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "data", "", "directory of recordings, instead of the file's")
	c.Flags().StringVar(&f.cache, "cache", "", "directory that keeps features (default: eegprune in the user's cache directory)")
}

func (f *studyFile) configs(path string) ([]experiment.Config, error) {
	study, err := experiment.ReadFile(path)
	if err != nil {
		return nil, usageError{err}
	}
	if f.dir != "" {
		if study.Data.Dir, err = filepath.Abs(f.dir); err != nil {
			return nil, err
		}
	}
	return study.Configs()
}

func (f *studyFile) cacheDir() (string, error) {
	if f.cache != "" {
		return f.cache, nil
	}
	return data.CacheDir()
}

func (a *app) studyRunCommand() *cobra.Command {
	var f studyFile
	r := &runner{a: a, cache: f.cacheDir}
	c := &cobra.Command{
		Use:     "run FILE",
		Short:   "Carry out a study",
		Example: `  eegprune study run study.yaml --data recordings --out study`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			configs, err := f.configs(args[0])
			if err != nil {
				return err
			}
			return r.run(cmd.Context(), configs, experiment.RunOptions{})
		},
	}
	r.register(c)
	f.register(c)
	return c
}
