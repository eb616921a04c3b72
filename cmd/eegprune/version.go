package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// number is the version of this source, without a tag or a commit.
const number = "0.2.0"

// Set by the linker: the tag, where there is one, and the commit the program was built from.
var release, revision = "", ""

// version is the tag that the program was built from, by make or by go install; number where
// there is none.
func version() string {
	if release != "" {
		return strings.TrimPrefix(release, "v")
	}
	info, ok := debug.ReadBuildInfo()
	if ok && tag.MatchString(info.Main.Version) {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return number
}

// tag matches the versions that go install gives for a tag, and no others: those of a commit end
// in its time and hash.
var tag = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)

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
