package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
)

func (a *app) studyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "study",
		Short: "Carry out a study that a file describes",
		Long: `A study is a file: data, networks, methods, ratios, recoveries, folds. Its cells share what they
start from, run side by side, and go on where they were after any end.`,
	}
	c.AddCommand(a.studyRunCommand(), a.studyPlanCommand(), a.studyValidateCommand(), a.studyShowCommand(), a.studyWatchCommand(), a.studyResultsCommand(),
		a.studyShardCommand(), a.studySubmitCommand(), a.studyMergeCommand())
	return c
}

// studyFile is the file of a study and where its recordings are.
type studyFile struct {
	dir   string
	cache cacheFlag
}

func (f *studyFile) register(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "data", "", "directory of recordings, instead of the file's")
	group(c.Flags(), ofData)
	takes(c.Flags(), "dir", "data")
	f.cache.register(c.Flags())
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
	configs, err := study.Configs()
	if err != nil {
		return nil, usageError{err}
	}
	return configs, nil
}
