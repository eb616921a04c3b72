package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set by the linker: the version and the commit the program was built from.
var release, revision = "unreleased", ""

func version() string { return release }

// commit is the whole hash of the program's source, with "-dirty" where that was changed;
// empty where it is not known.
func commit() string {
	if revision != "" {
		return revision
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["vcs.modified"] == "true" {
		return settings["vcs.revision"] + "-dirty"
	}
	return settings["vcs.revision"]
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: `  eegprune version`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			goVersion := runtime.Version()
			if info, ok := debug.ReadBuildInfo(); ok {
				goVersion = info.GoVersion
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]string{"version": version(), "go": goVersion, "platform": runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprintf(a.stdout, "eegprune %s (%s, %s/%s)\n", version(), goVersion, runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
