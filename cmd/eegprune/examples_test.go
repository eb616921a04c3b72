//go:build slow

package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every command's help has examples, and they work as typed, one after another in one
// directory: the order here is the one in which they build on each other.
func TestExamplesWorkAsTyped(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	// Files that examples suppose.
	writeText(t, filepath.Join(dir, "study.yaml"), small)
	must(t, dir, "data", "simulate", "--out", "others", "--subjects", "2", "--trials", "2", "--seconds", "4")
	must(t, dir, "data", "features", "others", "--out", "clips.npz")
	if err := os.RemoveAll(filepath.Join(dir, "others")); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range []string{"", "train", "run", "prune", "recover", "evaluate", "predict", "export", "inspect", "sensitivity", "compare", "report", "sweep", "savings",
		"study validate", "init", "study plan", "study shard", "study submit", "study run", "study show", "study watch", "study results", "study merge", "doctor", "cite", "version", "bench", "data simulate",
		"data info", "data features", "data convert", "data montage", "data bench", "data fetch", "bench losses", "bench folds", "bench operations"} {
		help := must(t, dir, append(strings.Fields(cmd), "--help")...).stdout
		examples := regexp.MustCompile(`(?m)^  eegprune (.+)$`).FindAllStringSubmatch(help[strings.Index(help, "Examples:"):], -1)
		if len(examples) == 0 {
			t.Errorf("%q shows no example", cmd)
		}
		for _, e := range examples {
			args := strings.Fields(e[1])
			for i, a := range args {
				if cmd == "data simulate" && a == "recordings" {
					args[i] = "others" // the first example made recordings
				}
			}
			if cmd == "data fetch" { // the sets themselves are hundreds of megabytes
				from := bucket(t)
				if args[2] == "eegmat" {
					from = mirror(t, 0, false)
				}
				args = append(args, "--mirror", from)
			}
			if r := must(t, dir, args...); r.stdout == "" {
				t.Errorf("eegprune %s says nothing", e[1])
			}
		}
	}
}

func TestEveryCommandIsInTheExamples(t *testing.T) {
	help := must(t, t.TempDir(), "--help").stdout
	commands := regexp.MustCompile(`(?m)^  ([a-z]+) +[A-Z]`).FindAllStringSubmatch(help, -1)
	known := "train run prune recover evaluate predict export inspect sensitivity compare report sweep savings study doctor cite version bench data init completion help"
	if len(commands) < 15 {
		t.Fatalf("found only %d commands in the help", len(commands))
	}
	for _, c := range commands {
		if !strings.Contains(known, c[1]) {
			t.Errorf("command %s has no tested example", c[1])
		}
	}
}

func TestEverySubcommandIsInTheExamples(t *testing.T) {
	for command, known := range map[string]string{
		"data":  "simulate info features convert montage bench fetch",
		"bench": "losses folds operations",
		"study": "run plan validate show watch results shard submit merge",
	} {
		help := must(t, t.TempDir(), command, "--help").stdout
		for _, c := range regexp.MustCompile(`(?m)^  ([a-z]+) +[A-Z]`).FindAllStringSubmatch(help, -1) {
			if !strings.Contains(known, c[1]) {
				t.Errorf("command %s %s has no tested example", command, c[1])
			}
		}
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := must(t, t.TempDir(), "completion", shell); !strings.Contains(r.stdout, "eegprune") {
			t.Errorf("the %s completion script does not name the program", shell)
		}
	}
}
