package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/fetch"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/data/simulate"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// A completer returns to cobra the words that may stand at the cursor.
type completer = cobra.CompletionFunc

// complete lets shells complete the arguments and flags of a command and of those below it.
func complete(c *cobra.Command) {
	if arg := argumentCompleter(c); arg != nil && c.ValidArgsFunction == nil && c.ValidArgs == nil {
		c.ValidArgsFunction = arg
	}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if values := flagCompleter(c, f); values != nil {
			// An error means that the flag has a completer of its own.
			_ = c.RegisterFlagCompletionFunc(f.Name, values)
		}
	})
	for _, sub := range c.Commands() {
		complete(sub)
	}
}

// askedToComplete reports whether a shell asks, and not a user.
func askedToComplete(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// offerArguments keeps cobra from listing the required flags of a command beside the
// completions of its arguments: shells would take the flags for endings and directories.
func offerArguments(c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) { delete(f.Annotations, cobra.BashCompOneRequiredFlag) })
	for _, sub := range c.Commands() {
		offerArguments(sub)
	}
}

// argumentCompleter completes the arguments in the usage line of a command.
func argumentCompleter(c *cobra.Command) completer {
	words := strings.Fields(c.Use)[1:]
	if len(words) == 0 {
		if c.HasSubCommands() {
			return nil
		}
		return cobra.NoFileCompletions
	}
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		i := len(args)
		if strings.Contains(c.Use, "...") {
			i = min(i, len(words)-1)
		}
		if i >= len(words) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		switch strings.Trim(words[i], "[].") {
		case "DIR":
			return nil, cobra.ShellCompDirectiveFilterDirs
		case "FILE":
			return yamlFiles(), cobra.ShellCompDirectiveFilterFileExt
		case "FILE.npz":
			return []string{"npz"}, cobra.ShellCompDirectiveFilterFileExt
		case "NAME":
			return fetchable(), cobra.ShellCompDirectiveNoFileComp
		case "NAME|FILE":
			return montage.Names(), cobra.ShellCompDirectiveDefault
		case "CHECKPOINT":
			if strings.Contains(c.Use, "| DIR") {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return checkpointFiles(), cobra.ShellCompDirectiveFilterFileExt
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
}

func flagCompleter(c *cobra.Command, f *pflag.Flag) completer {
	if f.Value.Type() == "bool" {
		return nil
	}
	if endings := endingsOf(c, f.Name); endings != nil {
		return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return endings, cobra.ShellCompDirectiveFilterFileExt
		}
	}
	if values := valuesOf(c, f.Name); values != nil {
		_, list := f.Value.(pflag.SliceValue)
		return oneOf(values, list)
	}
	switch taken(f) {
	case "dir":
		return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
	case "file", "path":
		return nil // cobra's own: all files
	}
	return cobra.NoFileCompletions
}

// oneOf completes one of some values or, of a list, the one after the last comma that is not
// among those before it.
func oneOf(values []string, list bool) completer {
	return func(_ *cobra.Command, _ []string, typed string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
		before, given := "", []string(nil)
		if i := strings.LastIndex(typed, ","); list && i >= 0 {
			before, given = typed[:i+1], strings.Split(typed[:i], ",")
		}
		for _, v := range values {
			if v := before + v; strings.HasPrefix(v, typed) && !slices.Contains(given, v[len(before):]) {
				found = append(found, v)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// The endings of kinds of files are without the dot, as shells take them.

func checkpointFiles() []string { return []string{"safetensors", "pt", "pth", "ckpt", "pt2"} }

func yamlFiles() []string { return []string{"yaml", "yml"} }

// fetchable are the names of the data sets that can be fetched.
func fetchable() (names []string) {
	for _, s := range fetch.Sets() {
		names = append(names, s.Name)
	}
	return names
}

// citable are the names of the data sets that have a paper.
func citable() []string {
	papers, err := source.Papers()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(papers))
}

// endingsOf are the endings of the files that a flag takes, nil where any will do.
func endingsOf(c *cobra.Command, flag string) []string {
	switch flag {
	case "network":
		return []string{"pt2"}
	case "teacher":
		return checkpointFiles()
	case "manifest", "layer-ratios":
		return yamlFiles()
	case "features":
		if c.Name() == "predict" {
			return []string{"npz", "npy"}
		}
		return yamlFiles()
	case "montage":
		var endings []string
		for _, e := range montage.Extensions() {
			endings = append(endings, strings.TrimPrefix(e, "."))
		}
		return endings
	}
	return nil
}

// valuesOf are those that a flag takes, nil where they can't be listed.
func valuesOf(c *cobra.Command, flag string) []string {
	switch flag {
	case "model":
		return models.Names()
	case "init":
		return models.Starts()
	case "method":
		return prune.MethodNames()
	case "dataset":
		return citable()
	case "recover", "how":
		return experiment.RecoveryNames()
	case "scope":
		return []string{prune.Global, prune.Layer}
	case "prune":
		return []string{"filters", "linear"}
	case "target":
		return []string{prune.Filters + "=", prune.Parameters + "=", prune.MACs + "="}
	case "on":
		return []string{experiment.OnValidation, experiment.OnTest}
	case "split":
		return data.SplitNames()
	case "filter":
		return []string{transform.FilterSOS, transform.FilterBA}
	case "standardize":
		return []string{data.StandardizeNone, data.StandardizeSubject}
	case "metric":
		return result.Metrics()
	case "test":
		return report.Tests()
	case "optimizer":
		return []string{"sgd", "adam"}
	case "precision":
		return train.Precisions()
	case "variants":
		return append([]string{train.AutoVariants}, models.VariantNames()...)
	case "device":
		return []string{"auto", "cpu", "cuda"}
	case "format":
		switch c.Name() {
		case "compare":
			return report.Formats()
		case "simulate":
			return simulate.Formats()
		}
		return formatNames()
	}
	return nil
}
