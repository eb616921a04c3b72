package main

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpOf is the program's output for these arguments.
func helpOf(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), args, &stdout, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("eegprune %s: exit code %d\n%s", strings.Join(args, " "), code, stderr.String())
	}
	return stdout.String()
}

// commands calls visit for every command of the program, with its words.
func commands(visit func(c *cobra.Command, words []string)) {
	var walk func(c *cobra.Command, words []string)
	walk = func(c *cobra.Command, words []string) {
		visit(c, words)
		for _, sub := range c.Commands() {
			walk(sub, append(slices.Clone(words), sub.Name()))
		}
	}
	walk((&app{}).root(), nil)
}

var flagLine = regexp.MustCompile(`(?m)^  (?:-[a-z],|   ) --([a-z0-9-]+)`)

func TestHelpGroupsAllFlags(t *testing.T) {
	seen := 0
	commands(func(c *cobra.Command, words []string) {
		text := helpOf(t, append(words, "--help-all")...)
		c.InitDefaultHelpFlag()
		want := map[string]heading{}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !slices.Contains(headings(), headingOf(f)) {
				t.Errorf("%s: --%s is under no heading", c.CommandPath(), f.Name)
			}
			if !f.Hidden {
				want[f.Name] = headingOf(f)
			}
		})
		under := heading("")
		found := map[string]int{}
		for line := range strings.Lines(text) {
			if name, ok := strings.CutSuffix(strings.TrimSpace(line), ":"); ok && line[0] != ' ' {
				under = heading(name)
			}
			m := flagLine.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			if found[m[1]]++; want[m[1]] != under {
				t.Errorf("%s: --%s is listed under %q, want %q", c.CommandPath(), m[1], under, want[m[1]])
			}
		}
		for name := range want {
			if seen++; found[name] != 1 {
				t.Errorf("%s: --%s is listed %d times", c.CommandPath(), name, found[name])
			}
		}
	})
	if seen < 300 {
		t.Errorf("only %d flags of all commands were seen", seen)
	}
}

// A help that is longer than a screen is cut to one, and no other is.
func TestHelpFitsOnAScreen(t *testing.T) {
	commands(func(c *cobra.Command, words []string) {
		short, all := helpOf(t, append(words, "--help")...), helpOf(t, append(words, "--help-all")...)
		if n := strings.Count(short, "\n"); n > helpLines {
			t.Errorf("%s --help has %d lines, a screen has %d", c.CommandPath(), n, helpLines)
		}
		if fits := strings.Count(all, "\n") <= helpLines; fits != (short == all) {
			t.Errorf("%s --help is the whole help: %t, which fits on a screen: %t", c.CommandPath(), short == all, fits)
		}
		if short != all && !strings.Contains(short, c.CommandPath()+" --help-all") {
			t.Errorf("%s --help does not say that there is more", c.CommandPath())
		}
		_, flags, _ := strings.Cut(all, "\nExamples:\n")
		for line := range strings.Lines(flags) {
			if flagLine.MatchString(line) && len(strings.TrimRight(line, "\n")) > helpColumns {
				t.Errorf("%s: a line of %d columns: %s", c.CommandPath(), len(line)-1, line)
			}
		}
		for _, ugly := range []string{"[=", "Slice", "stringArray", "strings ", "float ", "uint", "Array", "`"} {
			if strings.Contains(flags, ugly) {
				t.Errorf("%s --help-all shows %q", c.CommandPath(), ugly)
			}
		}
	})
}

func TestHelpShowsDefaultsAsTyped(t *testing.T) {
	text := helpOf(t, "sweep", "--help-all", "--ratio", "0.5")
	for _, want := range []string{"(default 0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.95)", "(default; --shuffle=false: not)", "(default fine-tune,scratch)", "(default 0.0001)"} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("the help of sweep lacks %q:\n%s", want, text)
		}
	}
}
